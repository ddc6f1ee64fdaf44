/// Where a service's image comes from.
public enum ServiceImage: Sendable, Codable, Hashable {
    case reference(ImageReference)
    case build(ImageBuild)
}

/// A build of an image from a context; its tag derives from its content, so that the same build is never done twice.
public struct ImageBuild: Sendable, Codable, Hashable {
    /// SHA-256 of the context tar, 64 hex digits.
    public var context: ContentDigest
    /// Path of the Containerfile within the context.
    public var containerfile: String
    public var arguments: [EnvironmentVariable]
    public var target: String?

    public init(context: ContentDigest, containerfile: String = "Dockerfile", arguments: [EnvironmentVariable] = [], target: String? = nil) {
        self.context = context
        self.containerfile = containerfile
        self.arguments = arguments
        self.target = target
    }
}
