internal import FoundationEssentials
internal import Glibc
internal import KilnModel

extension Context {
    /// The process's own.
    public static func live() -> Context {
        let environment = processEnvironment()
        let output = Output(
            standard: .init(descriptor: STDOUT_FILENO, environment: environment),
            error: .init(descriptor: STDERR_FILENO, environment: environment)
        )
        let answers = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
        let ask: @Sendable (String) -> String? = { question in
            output.error.write(question)
            return readLine()
        }
        let askHidden: @Sendable (String) -> String? = { question in
            withoutEcho {
                defer { output.error.write("\n") }
                return ask(question)
            }
        }
        return Context(
            environment: environment, output: output,
            input: Input(descriptor: STDIN_FILENO, ask: answers ? ask : nil, askHidden: answers ? askHidden : nil),
            now: { Timestamp(seconds: Date.now.timeIntervalSince1970) }
        )
    }
}

/// Runs `body` while the terminal does not show what is typed (termios(3)).
private func withoutEcho<Value>(_ body: () -> Value) -> Value {
    var before = termios()
    guard tcgetattr(STDIN_FILENO, &before) == 0 else { return body() }
    var hidden = before
    hidden.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
    defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
    return body()
}

/// The process's variables; asking Foundation for them takes a millisecond, as it gets to know the whole process first.
private func processEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
        entry += 1
        guard let equals = strchr(text, Int32(UInt8(ascii: "="))) else { continue }
        let key = String(decoding: UnsafeRawBufferPointer(start: text, count: equals - text), as: UTF8.self)
        // The first of two counts, as in getenv(3).
        if variables[key] == nil { variables[key] = String(cString: equals + 1) }
    }
    return variables
}

extension Output.Channel {
    init(descriptor: Int32, environment: [String: String]) {
        let isTerminal = isatty(descriptor) == 1
        self.init(
            descriptor: descriptor, isTerminal: isTerminal,
            hasColours: isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        ) { bytes in
            guard !writeAll(bytes, to: descriptor), errno == EPIPE else { return }
            // Whoever read our output has gone: end as any program would. NIO has switched the signal off, so switch it on again.
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
        }
    }
}

/// Writes `bytes` to a descriptor, blocking. Returns false, with `errno` set, when it cannot.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var offset = 0
    while offset < bytes.count {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
        if count >= 0 {
            offset += count
        } else if errno == EAGAIN {
            var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&wait, 1, -1) >= 0 || errno == EINTR else { return false }
        } else if errno != EINTR {
            return false
        }
    }
    return true
}
