internal import KilnAPI
internal import KilnModel
internal import Synchronization

extension Context {
    /// Waits, unless told not to, until a workspace sees the packages it was asked to, and says what has changed and what could not be had.
    func conclude(_ answer: PackagesAnswer, _ client: APIClient, _ wait: WaitOptions, _ common: CommonOptions) async throws {
        var answer = answer
        let asked = answer.workspace
        let generation = asked.spec.packageGeneration
        if !wait.noWait, Verdict.packages(asked, generation: generation) != .done {
            let rate = TransferRate()
            answer.workspace = try await packageWaiter(for: asked, client, wait).until(asked) {
                .packages($0, generation: generation, rate: rate)
            }
        }
        let failures = answer.failures(since: generation)
        if common.json { try output.json(answer) } else { output.line(answer.sentence(without: Set(failures.map(\.name)), waited: !wait.noWait)) }
        var status: Int32?
        for refusal in answer.refused {
            output.note(refusal.problem.error)
            status = status ?? ExitStatus.of(refusal.problem.code.category)
        }
        for failure in failures {
            output.note(
                KilnError(.packageFailed, "\(failure.name) \(failure.version) was not added: \(failure.reason.message)", hint: failure.reason.hint))
            status = status ?? ExitStatus.of(.failed)
        }
        if let status { throw ProgramEnded(status: status) }
    }

    func packageWaiter(for workspace: Workspace, _ client: APIClient, _ wait: WaitOptions) -> Waiter {
        let name = workspace.metadata.name
        return Waiter(
            client: client, output: output, limit: wait.timeout, subject: "packages of \(name)", look: "kl pkg list --workspace \(name)")
    }
}

extension PackagesAnswer {
    /// What could not be had of what was asked for.
    func failures(since generation: Int) -> [PackageFailure] {
        let asked = Set(changes.map(\.name))
        return (workspace.status.packages?.failures ?? []).filter { $0.generation >= generation && asked.contains($0.name) }
    }

    /// `Workspace hello: +jq 1.7.1, nodejs 20.1 → 20.2 (generation 3, 12 MiB fetched)`
    func sentence(without failed: Set<PackageName>, waited: Bool) -> String {
        let name = workspace.metadata.name
        let done = changes.filter { !failed.contains($0.name) }
        guard !done.isEmpty else { return "Workspace \(name): nothing has changed." }
        var facts = ["generation \(workspace.spec.packageGeneration)"]
        if !waited {
            facts.append("on its way")
        } else if let fetched = workspace.status.packages?.fetched, fetched > 0 {
            facts.append("\(Show.size(fetched)) fetched")
        }
        return "Workspace \(name): \(done.map(\.description).joined(separator: ", ")) (\(facts.joined(separator: ", ")))"
    }
}

extension Verdict {
    /// Whether `workspace` sees the packages of `generation`, or of a later one.
    static func packages(_ workspace: Workspace, generation: Int, rate: TransferRate? = nil) -> Verdict {
        if workspace.metadata.deletionRequestedAt != nil { return .failed(.deleted) }
        guard generation > 0 else { return .done }
        guard let status = workspace.status.packages else { return .working(phase: "Installing", activity: nil) }
        switch status.phase {
        case .ready where status.generation >= generation: return .done
        case .failed: return .failed(status.reason ?? .unknown)
        case .ready, .installing: return .working(phase: "Installing", activity: status.progress.map { rate?.text(of: $0) ?? $0.activity })
        }
    }
}

/// How fast something is fetched, from the first byte that was seen of it.
final class TransferRate: Sendable {
    private let start = Mutex<(bytes: Int, time: ContinuousClock.Instant)?>(nil)

    /// `fetching jq, 3.2 MiB of 10 MiB, 1.5 MiB/s`
    func text(of progress: PackageProgress, now: ContinuousClock.Instant = .now) -> String {
        var parts = [progress.activity.printable(limit: 80)]
        if progress.fetched > 0 || progress.total ?? 0 > 0 {
            parts.append(progress.total.map { "\(Show.size(progress.fetched)) of \(Show.size($0))" } ?? Show.size(progress.fetched))
        }
        if let speed = speed(progress.fetched, now) { parts.append("\(Show.size(speed))/s") }
        return parts.joined(separator: ", ")
    }

    /// Bytes a second; nil while there is nothing to tell it from.
    private func speed(_ bytes: Int, _ now: ContinuousClock.Instant) -> Int? {
        start.withLock { start in
            guard let begun = start, bytes >= begun.bytes else {
                start = (bytes, now)
                return nil
            }
            let seconds = begun.time.duration(to: now) / .seconds(1)
            return seconds > 0.1 && bytes > begun.bytes ? Int(Double(bytes - begun.bytes) / seconds) : nil
        }
    }
}
