internal import Dispatch
internal import FoundationEssentials
internal import Glibc
internal import KilnAPI
internal import KilnModel

/// Runs a program in a workspace or service with this process's input, output, signals and, if wanted, terminal.
struct SessionRunner: Sendable {
    /// Passed on rather than obeyed.
    static let passedSignals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

    let client: APIClient
    let place: SessionPlace
    let context: Context

    /// - Returns: the program's exit status.
    func run(_ command: [String], terminal: Terminal?) async throws -> Int32 {
        var request = SessionRequest(command: command, terminal: terminal?.size)
        if let terminal {
            for key in ["TERM", "COLORTERM"] {
                if let value = context.environment[key], !value.isEmpty { request.variables.append(try EnvironmentVariable(key: key, value: value)) }
            }
            return try await terminal.raw { try await exchange(request, terminal: terminal) }
        }
        return try await exchange(request, terminal: nil)
    }

    private func exchange(_ request: SessionRequest, terminal: Terminal?) async throws -> Int32 {
        try await client.runSession(in: place, request) { sender, receiver in
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { await passInput(to: sender) }
                group.addTask { await passSignals(to: sender, terminal: terminal) }
                return try await passOutput(of: receiver)
            }
        }
    }

    private func passInput(to sender: SessionSender) async {
        let input = StandardInput(descriptor: context.input.descriptor)
        do {
            while case let bytes = try await input.next(), !bytes.isEmpty {
                guard await send(.input(bytes), to: sender) else { return }
            }
        } catch is CancellationError {
            return
        } catch {
            context.output.note("\(error)")
        }
        _ = await send(.inputEnd, to: sender)
    }

    private func passSignals(to sender: SessionSender, terminal: Terminal?) async {
        let numbers = Self.passedSignals + (terminal == nil ? [] : [SIGWINCH])
        for await number in Signals(numbers).stream {
            let frame: SessionFrame =
                if number == SIGWINCH, let terminal { .resize(terminal.size) } else { .signal(UInt8(number)) }
            guard await send(frame, to: sender) else { return }
        }
    }

    /// - Returns: false when the session is over; the receiving side says how it ended.
    private func send(_ frame: SessionFrame, to sender: SessionSender) async -> Bool {
        do {
            try await sender.send(frame)
            return true
        } catch {
            return false
        }
    }

    private func passOutput(of receiver: SessionReceiver) async throws -> Int32 {
        let writer = BlockingWriter()
        while let frame = try await receiver.next() {
            switch frame {
            case .output(let bytes): await writer.write(bytes, to: context.output.standard)
            case .errorOutput(let bytes): await writer.write(bytes, to: context.output.error)
            case .exit(let status): return Int32(status)
            case .failure(let bytes): throw try JSONDecoder().decode(KilnError.self, from: Data(bytes))
            default: throw KilnError(.internalError, "kilnd sent a frame that only kl may send.", hint: "kl version")
            }
        }
        throw KilnError(.engineUnavailable, "The session broke off; whether the program goes on is not known.", hint: "kl doctor")
    }
}

/// Writes on a thread of its own: a reader that is slow (a pager) must not hold the tasks that pass keys and signals on.
private struct BlockingWriter: Sendable {
    private let queue = DispatchQueue(label: "standard output")

    func write(_ bytes: [UInt8], to channel: Output.Channel) async {
        await withCheckedContinuation { continuation in
            queue.async {
                channel.writeBytes(bytes)
                continuation.resume()
            }
        }
    }
}
