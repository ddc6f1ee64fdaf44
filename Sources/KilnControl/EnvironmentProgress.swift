internal import KilnModel

/// How an environment's status goes on. Pure.
enum EnvironmentProgress {
    /// Before the engine is asked.
    static func begun(_ environment: Environment, now: Timestamp) -> Environment.Status {
        var status = environment.status
        let isNew = status.observedVersion != environment.metadata.version
        switch (environment.spec.desiredState, status.phase) {
        case (.running, .running), (.running, .degraded), (.stopped, .stopped): break
        case (_, .failed) where !isNew: break
        case (.running, .building) where !isNew: break
        case (.running, _): status.enter(.starting, now)
        case (.stopped, _): status.enter(.stopping, now)
        }
        if status.phase != environment.status.phase {
            status.observedVersion = environment.metadata.version
            status.reason = nil
            status.activity = nil
        }
        return status
    }

    /// After the engine said how far it is.
    static func observed(_ environment: Environment, _ services: [ServiceStatus], now: Timestamp) -> Environment.Status {
        var status = environment.status
        status.services = services
        status.activity = nil
        status.reason = nil
        if environment.spec.desiredState == .stopped {
            let gone = services.allSatisfy { [.stopped, .exited, .failed, .waiting].contains($0.phase) }
            status.enter(gone ? .stopped : .stopping, now)
        } else {
            judge(environment, &status, now)
        }
        status.observedVersion = environment.metadata.version
        return status
    }

    /// After the engine failed.
    /// - Parameter failures: how often it had failed before, in a row.
    static func failed(_ environment: Environment, _ error: KilnError, failures: Int, now: Timestamp) -> Environment.Status {
        var status = environment.status
        let kind = FailureKind(error)
        guard kind != .unreachable else { return status }
        status.observedVersion = environment.metadata.version
        status.activity = nil
        let name = environment.metadata.name
        status.reason = Reason(
            code: error.code.value, message: error.message,
            hint: error.hint
                ?? (kind == .lasting ? "Mend it, delete it and create it again: kl env delete \(name)" : "Try again: kl env start \(name)")
        )
        let deleting = environment.metadata.deletionRequestedAt != nil
        if !deleting, kind == .lasting || failures >= FailureKind.patience { status.enter(.failed, now) }
        return status
    }

    private static func hasRun(_ environment: Environment) -> Bool {
        environment.status.observedVersion == environment.metadata.version
            && (environment.status.phase == .running || environment.status.phase == .degraded)
    }

    private static func judge(_ environment: Environment, _ status: inout Environment.Status, _ now: Timestamp) {
        let (name, specs, hasRun) = (environment.metadata.name, environment.spec.services, hasRun(environment))
        let awaited = Set(specs.flatMap { $0.dependencies.filter { $0.condition == .completed }.map(\.service) })
        let observed = Dictionary(status.services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let judged = specs.map { spec in
            (spec, ServiceProgress(spec, observed[spec.name], mustEnd: awaited.contains(spec.name), environment: name))
        }
        let broken = judged.first { if case .broken = $0.1 { true } else { false } }
        let unhealthy = judged.first { $0.1 == .unhealthy }
        let anyDone = judged.contains { $0.1 == .done }
        // What ends again and again may do so only until what it needs is there.
        let crashing = hasRun || !judged.contains(where: \.1.isOnItsWay) ? judged.first { if case .crashing = $0.1 { true } else { false } } : nil
        if case (_, .broken(let reason))? = broken {
            status.reason = reason
            status.enter(hasRun && anyDone ? .degraded : .failed, now)
        } else if let (service, _) = unhealthy {
            status.reason = Reason(
                code: KilnError.Code.serviceFailed.value, message: "\(service.name) is unhealthy: its health check keeps failing.",
                hint: "See what it says: kl env logs \(name) \(service.name)"
            )
            // Services that wait for it to be healthy will never start.
            let blocks = specs.contains { $0.dependencies.contains { $0.service == service.name && $0.condition == .healthy } }
            status.enter(blocks && !hasRun ? .failed : .degraded, now)
        } else if case (_, .crashing(let reason))? = crashing {
            status.reason = reason
            status.enter(anyDone && hasRun ? .degraded : .failed, now)
        } else if judged.allSatisfy({ $0.1 == .done }) {
            status.enter(.running, now)
        } else {
            status.activity = activity(judged)
            status.enter(hasRun ? .degraded : .starting, now)
        }
    }

    /// What is being waited for, in one line.
    private static func activity(_ judged: [(Service, ServiceProgress)]) -> String? {
        func names(_ progress: ServiceProgress) -> String? {
            let names = judged.filter { $0.1 == progress }.map(\.0.name.value)
            return names.isEmpty ? nil : names.joined(separator: ", ")
        }
        if let names = names(.becomingHealthy) { return "waiting for \(names) to be healthy" }
        if let names = names(.completing) { return "waiting for \(names) to finish" }
        if let names = names(.starting) ?? names(.waiting) { return "starting \(names)" }
        return nil
    }
}

extension Environment.Status {
    mutating func enter(_ phase: Environment.Phase, _ now: Timestamp) {
        guard self.phase != phase else { return }
        self.phase = phase
        since = now
    }
}
