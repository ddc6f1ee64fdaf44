/// Where a service's image comes from.
public enum ServiceImage: Sendable, Hashable {
    case reference(ImageReference)
    case build(ImageBuild)
}

extension ServiceImage: KindCoded {
    public enum Kind: String, Sendable, Codable, CaseIterable { case reference, build }

    public var kind: Kind {
        switch self {
        case .reference: .reference
        case .build: .build
        }
    }

    public init(_ kind: Kind, from values: KeyedDecodingContainer<TextKey>) throws {
        switch kind {
        case .reference: self = .reference(try values.decode(ImageReference.self, forKey: "reference"))
        case .build: self = .build(try values.decode(ImageBuild.self, forKey: "build"))
        }
    }

    public func encode(into values: inout KeyedEncodingContainer<TextKey>) throws {
        switch self {
        case .reference(let reference): try values.encode(reference, forKey: "reference")
        case .build(let build): try values.encode(build, forKey: "build")
        }
    }
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
