internal import KilnModel

/// What is said while somebody waits: nothing in the first second, then a spinner on a terminal, a line per change elsewhere.
actor Progress {
    private let subject: String
    private let channel: Output.Channel
    private let start = ContinuousClock.now
    private var state = ""
    private var said: String?
    private var turn = 0

    /// - Parameter subject: `workspace hello`, say.
    init(_ subject: String, on channel: Output.Channel) {
        self.subject = subject
        self.channel = channel
    }

    func update(_ state: String) {
        self.state = state
        show()
    }

    func update(phase: String, activity: String?) {
        update(activity.map { "\(phase), \($0)" } ?? phase)
    }

    /// Keeps the display alive until cancelled.
    func run() async throws {
        // The animation is the one thing here that time drives; elsewhere the first second is all there is to wait for.
        try await Task.sleep(for: .seconds(1))
        show()
        while channel.isTerminal {
            try await Task.sleep(for: .milliseconds(120))
            turn += 1
            show()
        }
    }

    /// Takes the spinner away, so that the next line starts clean.
    func clear() {
        if channel.isTerminal, said != nil { channel.write("\r\u{1B}[K") }
        said = nil
    }

    private func show() {
        let elapsed = ContinuousClock.now - start
        guard elapsed >= .seconds(1), !state.isEmpty else { return }
        if channel.isTerminal {
            let marks = ["|", "/", "-", "\\"]
            let line = "\(marks[turn % marks.count]) \(subject): \(state) (\(Show.duration(Double(elapsed.components.seconds))))"
            channel.write("\r\(line.printable(limit: 118))\u{1B}[K")
            said = state
        } else if said != state {
            channel.write("\(subject): \(state)\n")
            said = state
        }
    }
}
