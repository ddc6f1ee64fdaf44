import FileWork
import Glibc
import KilnModel

/// What a container's monitor wrote down of its output. Podman's own API would give whole seconds only, and nothing while its service is away.
struct ContainerLogFile {
    /// Holds `ctr.log`; goes with the container.
    let directory: String
    let replica: Replica?

    private var path: String { "\(directory)/ctr.log" }

    /// - Parameter container: its id, 64 hex digits.
    init(container: String, storageRoot: String, replica: Replica? = nil) {
        directory = "\(storageRoot)/overlay-containers/\(container)/userdata"
        self.replica = replica
    }

    /// Gives its lines. Returns at its end; with `changes`, when the container is removed, also one that has not printed anything yet. A line
    /// without an end is one when nothing more is waited for, or will come.
    /// - Parameters:
    ///   - since: only lines from then on.
    ///   - tail: how many of the last lines there are; nil: all.
    func read(
        since: Timestamp? = nil, tail: Int? = nil, changes: AsyncStream<Void>? = nil, _ output: (LogLine) async throws -> Void
    ) async throws {
        guard var file = try await opened(changes) else { return }
        var parser = LogFileParser(replica: replica)
        func isWanted(_ line: LogLine) -> Bool { line.time >= since ?? 0 }
        if let tail {
            var last: [LogLine] = []
            try readToEnd(file) { bytes in
                last += parser.append(bytes).filter(isWanted)
                if last.count > max(2 * tail, 1024) { last.removeFirst(last.count - tail) }
            }
            if changes == nil { last += parser.end().filter(isWanted) }
            for line in last.suffix(tail) { try await output(line) }
        } else {
            try await readToEnd(file) { for line in parser.append($0) where isWanted(line) { try await output(line) } }
        }
        func finish() async throws { for line in parser.end() where isWanted(line) { try await output(line) } }
        guard let changes else { return try await finish() }
        if parser.isInLine, hasEnded { try await finish() }
        for await _ in changes {
            let newer = try open()
            try await readToEnd(file) { for line in parser.append($0) where isWanted(line) { try await output(line) } }
            // The monitor begins a new file when this one is full; there is none once the container is removed.
            guard let newer else { return try await finish() }
            guard inode(newer) != inode(file) else {
                if parser.isInLine, hasEnded { try await finish() }
                continue
            }
            file = newer
            try await readToEnd(file) { for line in parser.append($0) where isWanted(line) { try await output(line) } }
        }
        try Task.checkCancellation()
        try await finish()
    }

    /// Whether the container's program is gone, as far as its monitor's note of it tells.
    private var hasEnded: Bool {
        guard let text = try? TrustedFiles.text(of: "\(directory)/pidfile"), let process = pid_t(text) else { return true }
        return kill(process, 0) != 0 && errno == ESRCH
    }

    /// The file once it is there: a container that was made and not started yet has none.
    private func opened(_ changes: AsyncStream<Void>?) async throws -> Descriptor? {
        if let file = try open() { return file }
        guard let changes else { return nil }
        for await _ in changes {
            if let file = try open() { return file }
        }
        try Task.checkCancellation()
        return nil
    }

    private func open() throws -> Descriptor? {
        let number = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard number >= 0 else {
            guard errno == ENOENT else { throw TrustedFiles.failure("read \(path)") }
            return nil
        }
        return Descriptor(owning: number)
    }

    private func inode(_ file: Descriptor) -> UInt64 {
        var status = stat()
        return fstat(file.number, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    private func readToEnd(_ file: Descriptor, _ take: ([UInt8]) async throws -> Void) async throws {
        while case .bytes(let bytes) = try file.read() {
            try Task.checkCancellation()
            try await take(bytes)
        }
    }

    private func readToEnd(_ file: Descriptor, _ take: ([UInt8]) throws -> Void) throws {
        while case .bytes(let bytes) = try file.read() { try take(bytes) }
    }
}
