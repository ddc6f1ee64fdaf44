import FileWork
import FoundationEssentials
import Glibc
import KilnModel

extension LinuxEngine {
    /// The image that workspaces have unless they name another.
    static let baseImage = "localhost/kiln/workspace"

    /// Imports the base image when it is missing or its tar is another one. Workspaces that run keep the one they have.
    func importBaseImage() async throws {
        guard let tar = configuration.baseImage else { return }
        var status = stat()
        guard stat(tar, &status) == 0 else {
            throw KilnError(.engineFailed, "The base image \(tar) is not there.", hint: "make up builds it.")
        }
        // Which tar was imported; enough to tell another build of it without reading half a gigabyte.
        let mark = "\(configuration.stateDirectory)/base-image"
        let identity = "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
        if try TrustedFiles.readText(mark) == identity, try await containers.hasImage(Self.baseImage) { return }
        logger.info("importing the base image", metadata: ["tar": "\(tar)"])
        let handle = try FileDescriptorReader(tar)
        try await containers.importImage(handle.chunks, name: Self.baseImage)
        try TrustedFiles.update(mark, with: identity, mode: 0o600)
    }
}

/// Reads a file piece by piece, as fast as somebody takes the pieces.
private final class FileDescriptorReader: Sendable {
    private let descriptor: CInt

    init(_ path: String) throws(KilnError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TrustedFiles.failure("read \(path)") }
    }

    deinit { close(descriptor) }

    var chunks: AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { [self] in
            var buffer = [UInt8](repeating: 0, count: 1 << 18)
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw TrustedFiles.failure("read the base image") }
            return count == 0 ? nil : Array(buffer[..<count])
        }
    }
}
