import CTerminal
import FileWork
import FoundationEssentials
import Glibc
import KilnModel

/// A program run in a container by the runtime itself, which takes milliseconds where Podman's own exec takes a hundred.
///
/// The runtime stays as this process's child until the program ends, hands signals on to it, and ends with its status. One task may read the
/// output while another writes the input; `hangUp()` and `discard()` come after both.
final class ContainerProcess: Sendable {
    enum Channel: Sendable { case output, error }

    let runtime: ChildProcess
    /// Holds the request, the runtime's log, and the program's id once it runs.
    private let folder: String
    /// What the program reads: a pipe, or the terminal.
    let input: Descriptor
    let output: Descriptor
    /// nil with a terminal, where both are one.
    let errorOutput: Descriptor?
    /// Whether the runtime passes a terminal on, and its size by SIGWINCH.
    private let isRelayed: Bool

    init(runtime: ChildProcess, folder: String, input: Descriptor, output: Descriptor, errorOutput: Descriptor?, isRelayed: Bool = false) {
        self.runtime = runtime
        self.folder = folder
        self.input = input
        self.output = output
        self.errorOutput = errorOutput
        self.isRelayed = isRelayed
    }

    var isTerminal: Bool { errorOutput == nil }

    /// Delivers what the program prints until it ends, and returns its exit status. Output that a process left in the background prints
    /// later is not waited for.
    /// - Throws: `KilnError` when the program could not be started, what `deliver` throws, `CancellationError`.
    func copyOutput(_ deliver: (Channel, [UInt8]) async throws -> Void) async throws -> Int {
        var open: [(descriptor: Descriptor, channel: Channel)] = [(output, .output)]
        if let errorOutput { open.append((errorOutput, .error)) }
        let watch = try Watch(open.map(\.descriptor.number) + [runtime.endDescriptor])
        while !open.isEmpty {
            let ready = try await watch.next()
            let hasEnded = ready.contains(runtime.endDescriptor)
            for (descriptor, channel) in open where ready.contains(descriptor.number) || hasEnded {
                let isOver = try await hasEnded ? drain(descriptor, channel, deliver) : copyOnce(descriptor, channel, deliver)
                guard isOver else { continue }
                watch.remove(descriptor.number)
                open.removeAll { $0.descriptor === descriptor }
            }
        }
        let status = try await runtime.ended()
        if status != 0, !hasStarted, !log.isEmpty { throw failure(status: status) }
        return status
    }

    /// - Returns: whether the descriptor is at its end.
    private func copyOnce(_ descriptor: Descriptor, _ channel: Channel, _ deliver: (Channel, [UInt8]) async throws -> Void) async throws -> Bool {
        switch try descriptor.read() {
        case .bytes(let bytes): try await deliver(channel, bytes)
        case .nothingYet: break
        case .end: return true
        }
        return false
    }

    /// Delivers what the ended program printed. In a pipe that is what lies there now; a terminal hands it over a moment later.
    private func drain(_ descriptor: Descriptor, _ channel: Channel, _ deliver: (Channel, [UInt8]) async throws -> Void) async throws -> Bool {
        var rest = isTerminal ? Int.max : Int(kiln_readable_bytes(descriptor.number))
        while rest > 0 {
            switch try descriptor.read(limit: min(rest, 1 << 16)) {
            case .bytes(let bytes):
                rest -= bytes.count
                try await deliver(channel, bytes)
            case .nothingYet:
                guard try await Readiness.readable(descriptor.number, timeout: .milliseconds(30)) else { return true }
            case .end: return true
            }
        }
        return true
    }

    /// Sets the terminal's size; nothing without one.
    func resize(_ size: SessionRequest.TerminalSize) {
        guard isTerminal else { return }
        _ = kiln_set_terminal_size(output.number, size.columns, size.rows)
        if isRelayed { runtime.send(SIGWINCH) }
    }

    /// Sends a signal to the program. The runtime hands on those it can catch.
    func send(_ signal: Int32) {
        guard signal == SIGKILL || signal == SIGSTOP else { return runtime.send(signal) }
        let programs = runtime.children()
        if programs.isEmpty { runtime.send(signal) }
        for program in programs {
            program.send(signal)
            program.close()
        }
    }

    /// Ends the program as a lost line does: no more input or output, SIGHUP, and after `grace` the runtime goes too. A program that ignores
    /// SIGHUP lives on in its container, as `nohup` promises.
    func hangUp(grace: Duration = .seconds(5)) async {
        input.close()
        output.close()
        errorOutput?.close()
        await runtime.end(grace: grace, with: SIGHUP)
    }

    /// Kills the program and its runtime, and waits.
    func kill() async {
        send(SIGKILL)
        await runtime.end(grace: .seconds(1), with: SIGCONT)
    }

    /// Lets go of everything, the program having ended.
    func discard() {
        input.close()
        output.close()
        errorOutput?.close()
        runtime.close()
        try? TrustedFiles.remove(folder)
    }

    /// Whether the runtime told the program's id, which it does once that runs.
    private var hasStarted: Bool { access("\(folder)/pid", F_OK) == 0 }

    /// What the runtime has to complain of.
    private var log: String { (try? TrustedFiles.text(of: "\(folder)/log")) ?? "" }

    func failure(status: Int) -> KilnError { Self.failure(log: log, status: status) }
}
