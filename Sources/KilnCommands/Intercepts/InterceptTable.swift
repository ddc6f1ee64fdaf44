internal import KilnAPI
internal import KilnModel

/// Intercepts, for people.
enum InterceptTable {
    /// Callers that are listed by name.
    private static let callersShown = 10

    /// - Parameter names: shows the environments, too.
    static func list(_ intercepts: [InterceptSummary], names: ResourceNames? = nil, now: Timestamp) -> Table {
        let showsOwner = Set(intercepts.map(\.owner)).count > 1
        var table = Table(header: (names == nil ? [] : ["ENVIRONMENT"]) + ["SERVICE", "WORKSPACE", "TARGET", "PHASE", "SINCE", "REASON"])
        table.rows = intercepts.map { intercept in
            let environment = names.map { names in [Table.Cell(intercept.environment.map { names.environment($0) } ?? "-")] }
            return (environment ?? []) + [
                Table.Cell(intercept.key.description),
                Table.Cell(showsOwner ? "\(intercept.owner)/\(intercept.workspace)" : intercept.workspace.value), Table.Cell(target(intercept)),
                Show.phase(intercept.phase.rawValue), Table.Cell(Show.since(intercept.since, now: now)), Table.Cell(intercept.reason?.message ?? ""),
            ]
        }
        return table
    }

    /// Below something else, when there are any.
    static func print(_ intercepts: [InterceptSummary], to context: Context) {
        guard !intercepts.isEmpty else { return }
        context.output.line()
        context.output.table(list(intercepts, now: context.now()))
    }

    /// Among the facts about a workspace.
    static func facts(_ intercept: InterceptSummary, now: Timestamp) -> [(String, Table.Cell)] {
        var cell = Show.phase(intercept.phase.rawValue)
        cell.text = "\(intercept.key) to \(target(intercept)), \(cell.text.lowercased()) since \(Show.since(intercept.since, now: now))"
        if let reason = intercept.reason { cell.text += ": \(reason.message)" }
        return [("intercept", cell)]
    }

    static func report(_ report: InterceptReport, now: Timestamp) -> Table {
        let intercept = report.intercept
        var facts: [(String, Table.Cell)] = [
            ("intercept", Table.Cell("\(intercept.key) to port \(target(intercept)) of \(intercept.workspace)")),
            ("phase", Show.phase(intercept.phase.rawValue)), ("since", Table.Cell(Show.since(intercept.since, now: now))),
        ]
        if let reason = intercept.reason {
            facts.append((intercept.phase == .waiting ? "waits" : "reason", Table.Cell(reason.message, intercept.phase == .waiting ? .busy : .bad)))
            if let hint = reason.hint { facts.append(("try", Table.Cell(hint))) }
        }
        if let existing = report.existing { facts.append(("existing", Table.Cell(existing.rawValue))) }
        if let fallback = report.fallback { facts.append(("no listener", Table.Cell(fallback ? "the original answers" : "callers are refused"))) }
        if let traffic = report.traffic {
            facts.append(("connections", Table.Cell("\(traffic.connections)")))
            facts.append(("bytes", Table.Cell(Show.size(traffic.bytes))))
            facts.append(("callers", Table.Cell(callers(traffic))))
        }
        return .facts(facts)
    }

    /// What `kl intercept start` says in the end.
    static func sentence(_ status: InterceptStatus, of workspace: Workspace) -> String {
        let settings = workspace.spec.intercepts.first { $0.key == status.key }
        if status.phase == .waiting { return "\(status.key): \(status.reason?.message ?? "waiting"); until then the original answers." }
        let refused = settings?.fallback == false ? " While nothing listens there, callers are refused." : ""
        return "\(status.key) reaches port \(status.target) of workspace \(workspace.metadata.name).\(refused)"
    }

    private static func target(_ intercept: InterceptSummary) -> String { ServicePort(intercept.target, intercept.port.transport).shortText }

    private static func callers(_ traffic: InterceptReport.Traffic) -> String {
        guard !traffic.callers.isEmpty else { return "none yet" }
        let shown = traffic.callers.prefix(callersShown).map { "\($0.name) (\($0.connections))" }
        let rest = traffic.callers.count - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? ", \(rest) more" : "")
    }
}
