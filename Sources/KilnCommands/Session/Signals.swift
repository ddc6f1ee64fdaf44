@preconcurrency internal import Dispatch
internal import Glibc

/// Signals sent to this process, as a stream. While somebody reads it they do nothing else.
struct Signals: Sendable {
    private let numbers: [Int32]

    /// Signals that the parent had switched off (`nohup`, background jobs of scripts) stay off.
    init(_ numbers: [Int32]) {
        self.numbers = numbers.filter { number in
            var action = sigaction()
            return sigaction(number, nil, &action) != 0 || !action.isIgnored
        }
    }

    /// Of each signal one reader at a time in the process: handlers are global.
    var stream: AsyncStream<Int32> {
        let numbers = numbers
        return AsyncStream { continuation in
            var ends: [Int32] = [-1, -1]
            precondition(pipe(&ends) == 0, "a process without room for a pipe cannot go on")
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
            let (reading, writing) = (ends[0], ends[1])
            let source = DispatchSource.makeReadSource(fileDescriptor: reading, queue: DispatchQueue(label: "signals"))
            source.setEventHandler {
                var number: UInt8 = 0
                while read(reading, &number, 1) == 1 { continuation.yield(Int32(number)) }
            }
            source.setCancelHandler {
                close(reading)
                close(writing)
            }
            source.activate()
            for number in numbers {
                Self.pipes[Int(number)] = writing
                // A handler may do next to nothing; a byte into a pipe is allowed (signal-safety(7)).
                signal(number) { number in
                    var byte = UInt8(truncatingIfNeeded: number)
                    let code = errno
                    _ = write(Signals.pipes[Int(number)], &byte, 1)
                    errno = code
                }
            }
            continuation.onTermination = { _ in
                for number in numbers where Self.pipes[Int(number)] == writing {
                    signal(number, SIG_DFL)
                    Self.pipes[Int(number)] = -1
                }
                source.cancel()
            }
        }
    }

    /// Signal → where its handler writes: plain memory, as that is all a handler may touch. Linux has 64 signals.
    private nonisolated(unsafe) static let pipes: UnsafeMutablePointer<Int32> = {
        let pipes = UnsafeMutablePointer<Int32>.allocate(capacity: 65)
        pipes.initialize(repeating: -1, count: 65)
        return pipes
    }()
}

extension sigaction {
    fileprivate var isIgnored: Bool {
        // Handlers are compared as numbers: SIG_IGN is 1.
        unsafeBitCast(__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}
