internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct WorkspaceShow: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a workspace: phase, limits, use, connection, intercepts.",
        discussion: "Examples:\n  kl workspace show hello\n  kl ws show hello --json"
    )

    @OptionGroup var workspace: WorkspaceArgument
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let report = try await client.report(on: workspace.reference)
            if common.json { return try context.output.json(report.workspace) }
            context.output.table(ReportTable.table(report, details: true, now: context.now()))
        }
    }
}

/// A workspace's report, for people.
enum ReportTable {
    /// - Parameter details: everything, rather than what one looks at every day.
    static func table(_ report: WorkspaceReport, details: Bool, now: Timestamp) -> Table {
        let workspace = report.workspace
        let limits = workspace.spec.limits
        var facts: [(String, Table.Cell)] = [
            ("workspace", Table.Cell(workspace.metadata.name.value)),
            ("owner", Table.Cell(workspace.metadata.owner.value)),
            ("phase", Show.phase(workspace.status.phase.rawValue)),
            ("since", Table.Cell(Show.since(workspace.status.since, now: now))),
        ]
        if let reason = workspace.status.reason { facts += lines(reason) }
        facts.append(("workmachine", Table.Cell(report.workmachine.value)))
        if let usage = report.usage {
            let cpu = "\(Show.fixed(Double(usage.cpuNanoseconds) / 1e9, digits: 1)) s used, \(Show.cpus(limits.milliCPUs)) CPUs at most"
            facts += [
                ("cpu", Table.Cell(cpu)),
                ("memory", Table.Cell("\(Show.size(usage.memory)) of \(Show.size(limits.memory)), \(Show.percent(usage.memory, of: limits.memory))")),
                (
                    "disk",
                    Table.Cell("\(Show.size(usage.diskUsed)) of \(Show.size(usage.diskSize)), \(Show.percent(usage.diskUsed, of: usage.diskSize))")
                ),
                ("processes", Table.Cell("\(usage.processes) of \(limits.pids)")),
            ]
        } else {
            facts.append(("limits", Table.Cell("\(Show.cpus(limits.milliCPUs)) CPUs, \(Show.size(limits.memory)) memory, \(limits.pids) processes")))
        }
        facts += connection(report, now: now)
        facts += InterceptSummary.all(of: workspace).flatMap { InterceptTable.facts($0, now: now) }
        facts += packages(workspace)
        guard details else { return .facts(facts) }
        facts += [
            ("address", Table.Cell(AddressPlan.workspace(min(max(1, workspace.spec.addressIndex), AddressPlan.maximumIndex)).description)),
            ("image", Table.Cell(workspace.spec.image.value)),
        ]
        if let repository = workspace.spec.repository { facts.append(("repository", Table.Cell(repository.value))) }
        // Values may be secrets; names say enough.
        if !workspace.spec.variables.isEmpty { facts.append(("variables", Table.Cell(workspace.spec.variables.map(\.key).joined(separator: " ")))) }
        facts += [
            ("made", Table.Cell("\(Show.since(workspace.metadata.createdAt, now: now)) ago")), ("id", Table.Cell(workspace.metadata.id.value)),
            ("version", Table.Cell("\(workspace.metadata.version)")),
        ]
        return .facts(facts)
    }

    private static func packages(_ workspace: Workspace) -> [(String, Table.Cell)] {
        guard let status = workspace.status.packages else { return [] }
        let names = workspace.spec.packages.map(\.name.value).joined(separator: " ")
        switch status.phase {
        case .ready: return names.isEmpty ? [] : [("packages", Table.Cell(names))]
        case .installing: return [("packages", Table.Cell("\(names), \(status.progress?.activity ?? "being installed")", .busy))]
        case .failed: return [("packages", Table.Cell("\(names), not installed", .bad))] + (status.reason.map(lines) ?? [])
        }
    }

    private static func connection(_ report: WorkspaceReport, now: Timestamp) -> [(String, Table.Cell)] {
        guard let wanted = report.workspace.spec.connection else { return [("connection", Table.Cell("none", .faint))] }
        let name = report.environment?.metadata.name.value ?? wanted.value
        guard let connection = report.workspace.status.connection, connection.environment == wanted else {
            return [("connection", Table.Cell("\(name), not connected yet", .busy))]
        }
        var cell = Show.phase(connection.phase.rawValue)
        cell.text = "\(name), \(connection.phase.rawValue.lowercased()) since \(Show.since(connection.since, now: now))"
        return [("connection", cell)] + (connection.reason.map(lines) ?? [])
    }

    private static func lines(_ reason: Reason) -> [(String, Table.Cell)] {
        [("reason", Table.Cell(reason.message, .bad))] + (reason.hint.map { [("try", Table.Cell($0))] } ?? [])
    }
}
