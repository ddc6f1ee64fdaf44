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

    /// One reader at a time in the process: handlers are global.
    var stream: AsyncStream<Int32> {
        let numbers = numbers
        return AsyncStream { continuation in
            let source = DispatchSource.makeReadSource(fileDescriptor: Self.pipe.read, queue: DispatchQueue(label: "signals"))
            source.setEventHandler {
                var number: UInt8 = 0
                while read(Self.pipe.read, &number, 1) == 1 { continuation.yield(Int32(number)) }
            }
            source.activate()
            for number in numbers {
                // A handler may do next to nothing; a byte into a pipe is allowed (signal-safety(7)).
                signal(number) { number in
                    var byte = UInt8(truncatingIfNeeded: number)
                    let code = errno
                    _ = write(Signals.pipe.write, &byte, 1)
                    errno = code
                }
            }
            continuation.onTermination = { _ in
                for number in numbers { signal(number, SIG_DFL) }
                source.cancel()
            }
        }
    }

    private static let pipe: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        guard Self.makePipe(&ends) == 0 else { return (-1, -1) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        return (ends[0], ends[1])
    }()

    private static func makePipe(_ ends: inout [Int32]) -> Int32 { Glibc.pipe(&ends) }
}

extension sigaction {
    fileprivate var isIgnored: Bool {
        // Handlers are compared as numbers: SIG_IGN is 1.
        unsafeBitCast(__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}
