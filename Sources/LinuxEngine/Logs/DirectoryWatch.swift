import FileWork
import Glibc
import KilnModel

/// Says when files in directories change. One inotify instance for all, as a user may have few of them (inotify(7)).
actor DirectoryWatch {
    private let descriptor: Descriptor
    private var readers: [Int32: [Int: AsyncStream<Void>.Continuation]] = [:]
    private var lastReader = 0

    private static let interest = UInt32(IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR)

    init() throws {
        let number = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard number >= 0 else { throw TrustedFiles.failure("open an inotify instance") }
        descriptor = Descriptor(owning: number)
    }

    /// An element whenever something changed in a directory, several changes at once counting as one; ends when it is removed
    /// and nobody has a file of it open any more.
    /// - Returns: nil when it is not there.
    func changes(in directory: String) throws -> AsyncStream<Void>? {
        let watch = inotify_add_watch(descriptor.number, directory, Self.interest)
        guard watch >= 0 else {
            guard errno == ENOENT else { throw TrustedFiles.failure("watch \(directory)") }
            return nil
        }
        lastReader += 1
        let key = lastReader
        let (stream, reader) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        readers[watch, default: [:]][key] = reader
        reader.onTermination = { [weak self] _ in Task { await self?.leave(watch, key) } }
        return stream
    }

    private func leave(_ watch: Int32, _ key: Int) {
        guard readers[watch]?.removeValue(forKey: key) != nil, readers[watch]?.isEmpty == true else { return }
        readers[watch] = nil
        inotify_rm_watch(descriptor.number, watch)
    }

    /// Delivers changes until cancelled.
    func run() async throws {
        while true {
            try await Readiness.readable(descriptor.number)
            while let bytes = try readEvents() { take(bytes) }
        }
    }

    /// nil when there are none.
    private func readEvents() throws -> [UInt8]? {
        // Room for the longest event, or reading it fails.
        var bytes = [UInt8](repeating: 0, count: 1 << 14)
        let count = read(descriptor.number, &bytes, bytes.count)
        guard count < 0 else { return Array(bytes[..<count]) }
        guard errno == EAGAIN || errno == EINTR else { throw TrustedFiles.failure("read an inotify instance") }
        return nil
    }

    /// Events as inotify(7) lays them out: watch, mask, cookie, length of the name, name.
    private func take(_ bytes: [UInt8]) {
        let head = MemoryLayout<inotify_event>.size
        var offset = 0
        while offset + head <= bytes.count {
            let event = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: inotify_event.self) }
            offset += head + Int(event.len)
            if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
                for reader in readers.values.flatMap(\.values) { reader.yield() }
            } else if event.mask & UInt32(IN_IGNORED) != 0 {
                for reader in readers.removeValue(forKey: event.wd)?.values ?? [:].values { reader.finish() }
            } else {
                for reader in readers[event.wd]?.values ?? [:].values { reader.yield() }
            }
        }
    }
}
