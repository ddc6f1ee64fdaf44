import CTerminal
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
    /// Holds the request, the runtime's log, the program's id.
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
        if status != 0, programID == nil { throw failure(status: status) }
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
        guard let id = programID, let program = ChildProcess.attach(to: id), isOurs(id) else { return runtime.send(signal) }
        program.send(signal)
        program.close()
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
        try? Files.remove(folder)
    }

    /// The host's id of the program; nil until it was started.
    private var programID: Int32? { (try? Files.read("\(folder)/pid")).flatMap { Int32($0) } }

    /// Whether `id` is still the runtime's child and not another process that got its number.
    private func isOurs(_ id: Int32) -> Bool {
        guard let text = try? Files.read("/proc/\(id)/stat"), let close = text.lastIndex(of: ")") else { return false }
        let fields = text[close...].split(separator: " ")
        return fields.count > 2 && Int32(fields[2]) == runtime.pid
    }

    func failure(status: Int) -> KilnError {
        let log = (try? Files.read("\(folder)/log")) ?? ""
        return Self.failure(log: log, status: status)
    }
}
