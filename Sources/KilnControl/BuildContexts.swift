internal import FoundationEssentials
internal import Glibc
public import KilnModel
internal import KilnStore
public import WorkspaceEngine

/// The tars of build contexts, and of files and folders that services see, each in a file named after its SHA-256.
public struct BuildContexts: Sendable {
    public let directory: String
    /// Bytes read at a time.
    private static let chunk = 1 << 17
    /// Seconds for which a context that no environment needs stays: an upload comes before its environment.
    private static let grace = 24.0 * 3600

    /// Makes the directory (mode 0700) where it is missing.
    public init(directory: String) throws {
        self.directory = directory
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw KilnError(.internalError, "The directory \(directory) cannot be made: \(error).")
        }
    }

    public func path(of digest: ContentDigest) -> String { "\(directory)/\(digest).tar" }

    public func contains(_ digest: ContentDigest) -> Bool { access(path(of: digest), R_OK) == 0 }

    /// The bytes of a context, read as they are asked for.
    /// - Throws: `invalid-build-context` when it was not uploaded.
    public func open(_ digest: ContentDigest) throws(KilnError) -> ByteStream {
        let descriptor = Glibc.open(path(of: digest), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw KilnError(
                .invalidBuildContext, "What was uploaded as \(digest) is not here.", hint: "Create the environment again, which uploads it."
            )
        }
        let file = OpenFile(descriptor)
        return ByteStream { try file.read(upTo: Self.chunk) }
    }

    /// Deletes uploads that were cut off, and contexts that nothing has needed for a day.
    /// - Parameter needed: those that environments are made from.
    public func sweep(keeping needed: Set<ContentDigest>, now: Timestamp) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            let path = "\(directory)/\(name)"
            var attributes = stat()
            guard lstat(path, &attributes) == 0, now - Timestamp(seconds: Double(attributes.st_mtim.tv_sec)) > Self.grace else { continue }
            if needed.contains(where: { "\($0).tar" == name }) { continue }
            unlink(path)
        }
    }

    private final class OpenFile: Sendable {
        private let descriptor: Int32

        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }

        func read(upTo count: Int) throws -> [UInt8]? {
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                let got = Glibc.read(descriptor, buffer.baseAddress, count)
                failure = got < 0 ? errno : 0
                filled = max(got, 0)
            }
            guard failure == 0 else {
                throw KilnError(.internalError, "A build context cannot be read: \(String(cString: strerror(failure))).")
            }
            return bytes.isEmpty ? nil : bytes
        }
    }
}
