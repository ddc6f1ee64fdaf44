import FileWork
public import KilnModel
import LinuxNetwork
public import WorkspaceEngine

extension LinuxEngine {
    public func hasImage(of build: ImageBuild) async throws -> Bool {
        try await containers.hasImage(try build.reference.value)
    }

    public func build(_ build: ImageBuild, context: ByteStream, progress: @escaping @Sendable (String) async -> Void) async throws {
        try await network.ensureBuild()
        let resolver = "\(configuration.runtimeDirectory)/build.resolv.conf"
        try TrustedFiles.update(resolver, with: "nameserver \(AddressPlan.resolver)\n", mode: 0o644)
        let request = BuildRequest(
            tag: try build.reference.value, containerfile: build.containerfile, arguments: build.arguments, target: build.target,
            userRange: .init(firstID: instance.firstUserID(ofRange: Instance.buildRange)), networkNamespace: network.buildNamespace.path,
            resolver: resolver)
        try await containers.build(request, context: context, progress: progress)
    }
}
