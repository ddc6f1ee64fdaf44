internal import Crypto
internal import Glibc
internal import KilnControl
internal import KilnModel
internal import NIOCore
internal import NIOPosix

/// A build context on its way to disk: hashed while it is written, and under its name only when it is whole.
///
/// Used by one task at a time.
final class ContextUpload {
    private let digest: ContentDigest
    private let path: String
    private let target: String
    private let limit: Int
    private let descriptor: Int32
    private var hash = SHA256()
    private var size = 0

    init(_ digest: ContentDigest, into contexts: BuildContexts, limit: Int) throws {
        self.digest = digest
        self.limit = limit
        target = contexts.path(of: digest)
        path = "\(contexts.directory)/.\(ResourceID.random()).part"
        descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure(errno) }
    }

    deinit { close(descriptor) }

    /// - Throws: `too-large`, `disk-full`.
    func append(_ bytes: ByteBuffer) async throws {
        size += bytes.readableBytes
        guard size <= limit else { throw KilnError.tooLarge(limit: limit) }
        bytes.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        let descriptor = descriptor
        try await NIOThreadPool.singleton.runIfActive {
            try bytes.withUnsafeReadableBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let written = UnsafeRawBufferPointer(rebasing: rest).withMemoryRebound(to: UInt8.self) {
                        write(descriptor, $0.baseAddress, $0.count)
                    }
                    if written < 0, errno == EINTR { continue }
                    guard written > 0 else { throw Self.failure(errno) }
                    rest = rest.dropFirst(written)
                }
            }
        }
    }

    /// - Throws: `invalid-build-context` when what came is not what its name says.
    func finish() async throws {
        let actual = hash.finalize().map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
        guard actual == digest.value else {
            throw KilnError(.invalidBuildContext, "The build context's SHA-256 is \(actual), not \(digest).", hint: "Send it again.")
        }
        let (descriptor, path, target) = (descriptor, path, target)
        try await NIOThreadPool.singleton.runIfActive {
            // On disk before it has its name, or a power cut could leave a name without content.
            guard fsync(descriptor) == 0, rename(path, target) == 0 else { throw Self.failure(errno) }
        }
    }

    func discard() { unlink(path) }

    private static func failure(_ number: Int32) -> KilnError {
        if number == ENOSPC || number == EDQUOT {
            return KilnError(.diskFull, "The disk is full: the build context could not be kept.", hint: "Free some space, then try again.")
        }
        return KilnError(.internalError, "The build context could not be kept: \(String(cString: strerror(number))).")
    }
}
