import KilnModel
import Testing
import WorkspaceEngine

@testable import LinuxEngine

/// The client's side of a session: sends frames, collects what comes back.
actor Client {
    private(set) var output: [UInt8] = []
    private(set) var errorOutput: [UInt8] = []
    private(set) var exit: Int?
    private(set) var count = 0
    private var waiters: [(text: String, continuation: CheckedContinuation<Void, Never>)] = []
    nonisolated let input: SessionInput
    nonisolated let sender: SessionInput.Continuation

    init() { (input, sender) = SessionInput.makeStream() }

    var text: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: errorOutput, as: UTF8.self) }

    func take(_ frame: SessionFrame) {
        switch frame {
        case .output(let bytes):
            count += bytes.count
            if output.count < 1 << 20 { output += bytes }
        case .errorOutput(let bytes): errorOutput += bytes
        case .exit(let status): exit = Int(status)
        default: fatalError("unexpected frame \(frame)")
        }
        let text = self.text
        for waiter in waiters where text.contains(waiter.text) { waiter.continuation.resume() }
        waiters.removeAll { text.contains($0.text) }
    }

    /// Waits until `wanted` was printed; an issue after ten seconds.
    func printed(_ wanted: String) async {
        if text.contains(wanted) { return }
        let limit = Task {
            try await Task.sleep(for: .seconds(10))
            giveUp(wanted)
        }
        await withCheckedContinuation { waiters.append((wanted, $0)) }
        limit.cancel()
    }

    private func giveUp(_ wanted: String) {
        Issue.record("“\(wanted)” was not printed, but: \(text)")
        sender.finish()
        waiters.forEach { $0.continuation.resume() }
        waiters = []
    }

    nonisolated func send(_ text: String) { sender.yield(.input(Array(text.utf8))) }

    /// Runs a session to its end.
    func run(
        _ command: [String], on host: ContainerHost, in container: String, user: ContainerUser = .root, terminal: SessionRequest.TerminalSize? = nil,
        variables: [EnvironmentVariable] = []
    ) async throws {
        let request = SessionRequest(command: command, terminal: terminal, variables: variables)
        try await host.session(
            request, container: container, user: user, workingDirectory: "/tmp", environment: [], input: input,
            output: { frame in await self.take(frame) })
    }
}
