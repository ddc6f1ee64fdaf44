internal import Glibc
internal import KilnModel

/// The terminal a descriptor leads to.
struct Terminal: Sendable {
    let descriptor: Int32

    /// nil when `descriptor` is no terminal.
    init?(descriptor: Int32) {
        guard isatty(descriptor) == 1 else { return nil }
        self.descriptor = descriptor
    }

    /// Its size; 80 × 24 when it does not know.
    var size: SessionRequest.TerminalSize {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return SessionRequest.TerminalSize(columns: 80, rows: 24)
        }
        return SessionRequest.TerminalSize(columns: size.ws_col, rows: size.ws_row)
    }

    /// Runs `body` with every key passed on as it is, and puts the terminal back however `body` ends.
    func raw<Value>(_ body: () async throws -> Value) async throws -> Value {
        var before = termios()
        guard tcgetattr(descriptor, &before) == 0 else {
            throw KilnError(.invalidFile, "The terminal's settings cannot be read: \(String(cString: strerror(errno))).")
        }
        var raw = before
        cfmakeraw(&raw)
        tcsetattr(descriptor, TCSANOW, &raw)
        // Draining, so that what the program printed last is not cut by the change.
        defer { tcsetattr(descriptor, TCSADRAIN, &before) }
        return try await body()
    }
}
