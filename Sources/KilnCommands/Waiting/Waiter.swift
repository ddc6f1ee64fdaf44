internal import Glibc
internal import KilnAPI
internal import KilnModel

/// Waits on the event stream until an effect is verified.
struct Waiter: Sendable {
    let client: APIClient
    let output: Output
    let limit: WaitLimit
    /// `workspace hello`, say.
    let subject: String
    /// Shows how far it is.
    let look: String

    private enum Ending<Value: Sendable>: Sendable { case value(Value), interrupted, timedOut }

    /// Waits until `judge` calls the resource done, and returns it as it is then.
    /// - Throws: `KilnError` when it fails (exit 1) or takes too long (exit 6), `Interrupted` at Ctrl-C.
    func until<Item: Resource>(_ item: Item, _ judge: @escaping @Sendable (Item) -> Verdict) async throws -> Item {
        if judge(item) == .done { return item }
        return try await race { progress in
            try await watch(item.metadata.id, progress) { event in
                guard let now = event.resource as? Item else { throw failure(.deleted) }
                switch judge(now) {
                case .done: return now
                case .failed(let reason): throw failure(reason)
                case .working(let phase, let activity):
                    await progress.update(phase: phase, activity: activity)
                    return nil
                }
            }
        }
    }

    /// Waits until a resource whose deletion was asked for is gone.
    func untilGone<Item: Resource>(_ item: Item, _ judge: @escaping @Sendable (Item) -> Verdict) async throws {
        try await race { progress in
            // It may be gone before the stream opens; then nothing would ever come.
            guard try await client.exists(Item.self, .id(item.metadata.id)) else { return }
            let _: Bool = try await watch(item.metadata.id, progress, gone: true) { event in
                guard let now = event.resource as? Item else { return true }
                switch judge(now) {
                case .failed(let reason): throw failure(reason)
                case .working(let phase, let activity): await progress.update(phase: phase, activity: activity)
                case .done: break
                }
                return nil
            }
        }
    }

    /// The first of: `work` ends, the limit passes, somebody presses Ctrl-C.
    private func race<Value: Sendable>(_ work: @escaping @Sendable (Progress) async throws -> Value) async throws -> Value {
        let progress = Progress(subject, on: output.error)
        let ending = try await withThrowingTaskGroup(of: Ending<Value>.self) { group in
            defer { group.cancelAll() }
            group.addTask { .value(try await work(progress)) }
            group.addTask {
                try await Task.sleep(for: limit.duration)
                return .timedOut
            }
            group.addTask {
                for await _ in Signals([SIGINT, SIGTERM]).stream { break }
                try Task.checkCancellation()
                return .interrupted
            }
            group.addTask {
                try await progress.run()
                try await Task.sleep(for: limit.duration * 2)
                return .timedOut
            }
            do {
                guard let first = try await group.next() else { throw CancellationError() }
                await progress.clear()
                return first
            } catch {
                await progress.clear()
                throw error
            }
        }
        switch ending {
        case .value(let value): return value
        case .interrupted: throw Interrupted(message: "Stopped waiting for \(subject); the work goes on. Look with: \(look)")
        case .timedOut:
            throw KilnError(.timedOut, "Waiting for \(subject) took longer than \(limit); the work goes on.", hint: look)
        }
    }

    /// Follows one resource; opens the stream again when it breaks, as kilnd may be restarted meanwhile.
    private func watch<Value: Sendable>(
        _ id: ResourceID, _ progress: Progress, gone: Bool = false, _ take: (ResourceEvent) async throws -> Value?
    ) async throws -> Value {
        var pause = Duration.milliseconds(100)
        while true {
            do {
                var value: Value?
                try await client.events(of: id) { _, event in
                    pause = .milliseconds(100)
                    value = try await take(event)
                    return value == nil
                }
                if let value { return value }
            } catch let error as KilnError where error.code == .engineUnavailable {
                // Nothing announces that kilnd is back, so it is asked again, ever more slowly.
                await progress.update("kilnd does not answer, trying again")
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(2))
            } catch let error as KilnError where error.code.category == .notFound && !gone {
                throw failure(.deleted)
            } catch let error as KilnError where error.code.category == .notFound {
                return try await taken(.deleted(kind: .workspace, id: id), take)
            }
        }
    }

    private func taken<Value>(_ event: ResourceEvent, _ take: (ResourceEvent) async throws -> Value?) async throws -> Value {
        guard let value = try await take(event) else { throw CancellationError() }
        return value
    }

    private func failure(_ reason: Reason) -> KilnError {
        let text = "\(subject.prefix(1).uppercased())\(subject.dropFirst()) failed: \(reason.message)"
        return KilnError(.init(reason.code, .failed), text, hint: reason.hint ?? look)
    }
}

extension ResourceEvent {
    /// The resource as it is now; nil once it is deleted.
    var resource: (any Resource)? {
        switch self {
        case .workmachine(let machine): machine
        case .workspace(let workspace): workspace
        case .environment(let environment): environment
        case .deleted: nil
        }
    }
}

extension APIClient {
    func exists<Item: Resource>(_ type: Item.Type, _ reference: Reference) async throws -> Bool {
        do {
            _ = try await get(Item.self, reference)
            return true
        } catch let error as KilnError where error.code.category == .notFound {
            return false
        }
    }
}
