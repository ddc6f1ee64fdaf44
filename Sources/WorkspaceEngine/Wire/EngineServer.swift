import KilnModel
public import Logging
import NIOCore

/// Answers what kilnd asks over the connection with an engine; kiln-agent's side of `RemoteEngine`.
///
/// Every message is decoded into the model's types, which validates it again. A call whose stream is reset is cancelled.
public struct EngineServer: Sendable {
    let engine: any WorkspaceEngine
    let forwarder: WorkspaceForwarder
    let logger: Logger

    public init(engine: any WorkspaceEngine, forwarder: WorkspaceForwarder, logger: Logger) {
        self.engine = engine
        self.forwarder = forwarder
        self.logger = logger
    }

    /// Serves a connection until it is closed or the task is cancelled. Returns when all its calls have come to an end, so that no call of
    /// the next connection overlaps with one of this.
    func serve(_ connection: WireConnection) async {
        await forwarder.connect()
        await withDiscardingTaskGroup { group in
            do {
                for try await stream in connection.streams {
                    group.addTask { await handle(stream) }
                }
            } catch {
                logger.debug("connection broke", metadata: ["error": "\(error)"])
            }
            connection.close()
            await forwarder.disconnect()
            group.cancelAll()
        }
    }

    /// One stream, from its head to its end.
    private func handle(_ stream: WireStream) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await answer(stream)
                stream.reset()
            }
            group.addTask { await stream.closed() }
            await group.next()
            group.cancelAll()
        }
    }

    private func answer(_ stream: WireStream) async {
        guard let path = try? await stream.head().first(name: ":path") else { return }  // Reset before it began.
        if path == WireNames.accept {
            await forwarder.park(stream)
            return
        }
        let verb = EngineVerb(path: path)
        let answer = WireAnswer(stream, form: verb?.form ?? .value)
        do {
            guard let verb else {
                throw KilnError(
                    .engineFailed, "kiln-agent knows no call “\(path.printable(limit: 80))”.", hint: "Run the same version of kilnd and kiln-agent.")
            }
            try await perform(verb, on: stream, answer)
        } catch {
            await tell(error, path, answer)
        }
    }

    private func tell(_ error: any Error, _ path: String, _ answer: WireAnswer) async {
        let told: KilnError
        switch error {
        case let error as KilnError: told = error
        case is WireError: return
        case is CancellationError: told = KilnError(.engineUnavailable, "kiln-agent is stopping.", hint: "`make up` starts it.")
        default:
            logger.error("call failed", metadata: ["call": "\(path)", "error": "\(error)"])
            told = KilnError(.engineFailed, "\(error)".printable(limit: 2000))
        }
        do {
            try await answer.fail(told)
        } catch {
            logger.debug("nobody heard of a failure", metadata: ["call": "\(path)", "failure": "\(told)"])
        }
    }
}
