import FileWork

/// What the kernel says of a process (proc_pid_stat(5)).
struct ProcessStatus {
    /// One letter: `S` sleeps, `Z` has ended and waits to be reaped.
    let state: Substring
    let parent: Int32
    /// Whether it has a controlling terminal (`tty_nr`).
    let hasTerminal: Bool
    /// Clock ticks after the boot when it began: with its id, what no later process can be taken for.
    let start: Substring

    var hasEnded: Bool { state == "Z" || state == "X" }

    /// nil when there is no such process, which is also what an unreadable entry means to whoever asks.
    init?(of pid: Int) {
        guard pid > 0, let text = try? TrustedFiles.text(of: "/proc/\(pid)/stat"), let close = text.lastIndex(of: ")") else { return nil }
        // Behind the name, which may hold anything: “) S PARENT …”, so the third field stands at 1 and the twenty-second at 20.
        let fields = text[close...].split(separator: " ")
        guard fields.count > 20, let parent = Int32(fields[2]) else { return nil }
        state = fields[1]
        self.parent = parent
        hasTerminal = fields[5] != "0"
        start = fields[20]
    }
}
