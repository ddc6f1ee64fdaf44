public import KilnModel

/// A build of an image from a tar of its context.
public struct BuildRequest: Sendable, Hashable {
    /// Name the image gets.
    public var tag: String
    /// Path of the Containerfile in the context.
    public var containerfile: String
    public var arguments: [EnvironmentVariable]
    public var target: String?
    /// Ids of the build steps' user namespace.
    public var userRange: ContainerSpec.UserRange
    /// Path of the network namespace of the whole build: its steps, what it fetches, and the images it begins with.
    public var networkNamespace: String
    /// File that the build sees as `/etc/resolv.conf`; nil: the host's.
    public var resolver: String?

    public init(
        tag: String, containerfile: String = "Dockerfile", arguments: [EnvironmentVariable] = [], target: String? = nil,
        userRange: ContainerSpec.UserRange, networkNamespace: String, resolver: String? = nil
    ) {
        self.tag = tag
        self.containerfile = containerfile
        self.arguments = arguments
        self.target = target
        self.userRange = userRange
        self.networkNamespace = networkNamespace
        self.resolver = resolver
    }

    /// The tag in letters that a cgroup's name may have.
    var name: String { String(tag.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }) }

    /// Arguments of the container engine's program; the context comes on standard input. Pure.
    func commandLine(cgroupParent: String, hooks: String) -> [String] {
        let map = "0:\(userRange.firstID):\(Instance.rangeSize)"
        var line = [
            // Docker's format: the OCI's has no room for a HEALTHCHECK.
            "build", "--format", "docker", "--tag", tag, "--file", containerfile, "--layers", "--force-rm",
            "--userns-uid-map", map, "--userns-gid-map", map,
            // That of the program itself, which runs in the namespace asked for.
            "--network", "host", "--hooks-dir", hooks, "--cgroup-parent", cgroupParent,
        ]
        for argument in arguments { line += ["--build-arg", argument.description] }
        if let target { line += ["--target", target] }
        return line + ["-"]
    }
}
