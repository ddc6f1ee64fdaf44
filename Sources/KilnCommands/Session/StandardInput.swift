internal import Dispatch
internal import Glibc
internal import KilnModel

/// Reads a descriptor without blocking Swift's threads and without making it non-blocking, which the shell that shares it would feel.
final class StandardInput: Sendable {
    private let descriptor: Int32
    /// A byte written here ends a wait.
    private let wake: (read: Int32, write: Int32)
    private let queue = DispatchQueue(label: "standard input")

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "a process without room for a pipe cannot go on")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wake = (ends[0], ends[1])
    }

    deinit {
        close(wake.read)
        close(wake.write)
    }

    /// What has arrived, at most 64 KiB; empty at the end. Cancelling ends the wait.
    func next() async throws -> [UInt8] {
        try await withTaskCancellationHandler {
            let result = await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: self.read()) }
            }
            try Task.checkCancellation()
            return try result.get()
        } onCancel: {
            var byte: UInt8 = 1
            _ = write(wake.write, &byte, 1)
        }
    }

    private func read() -> Result<[UInt8], KilnError> {
        var waits = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0)]
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            guard poll(&waits, 2, -1) >= 0 || errno == EINTR else { return failure() }
            if waits[1].revents != 0 { return .success([]) }
            guard waits[0].revents != 0 else { continue }
            // A closed standard input (`<&-`) is an empty one.
            if waits[0].revents & Int16(POLLNVAL) != 0 { return .success([]) }
            let count = Glibc.read(descriptor, &bytes, bytes.count)
            if count >= 0 { return .success(Array(bytes[..<count])) }
            // EIO: a terminal that went away.
            if errno == EIO { return .success([]) }
            if errno != EINTR, errno != EAGAIN { return failure() }
        }
    }

    private func failure() -> Result<[UInt8], KilnError> {
        .failure(KilnError(.invalidFile, "Standard input cannot be read: \(String(cString: strerror(errno)))."))
    }
}
