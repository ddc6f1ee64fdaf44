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
            facts += Self.usage(usage, of: workspace)
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

    private static func usage(_ usage: WorkspaceUsage, of workspace: Workspace) -> [(String, Table.Cell)] {
        let (held, wanted) = (usage.limits, workspace.spec.limits)
        func later(_ now: Int, _ then: Int, _ show: (Int) -> String) -> String {
            // The kernel counts memory in pages.
            abs(now - then) < 1 << 16 && show(now) == show(then) ? "" : "; \(show(then)) from the next resume on"
        }
        let cpu = "\(Show.fixed(Double(usage.cpuNanoseconds) / 1e9, digits: 1)) s used, \(Show.cpus(held.milliCPUs)) CPUs at most"
        let memory = "\(Show.size(usage.memory)) of \(Show.size(held.memory)), \(Show.percent(usage.memory, of: held.memory))"
        var facts = [
            ("cpu", Table.Cell(cpu + later(held.milliCPUs, wanted.milliCPUs, Show.cpus))),
            ("memory", Table.Cell(memory + later(held.memory, wanted.memory, Show.size))),
        ]
        if usage.memoryKills > 0 {
            let twice = held.memory * 2
            let programs = usage.memoryKills == 1 ? "1 process was" : "\(usage.memoryKills) processes were"
            let more = twice % (1 << 30) == 0 ? "\(twice >> 30)G" : "\(twice >> 20)M"
            facts += [
                ("killed", Table.Cell("\(programs) killed since its start, because the workspace had no memory left.", .bad)),
                ("try", Table.Cell("kl ws update \(workspace.metadata.name) --memory \(more), from outside the workspace")),
            ]
        }
        return facts + [
            ("disk", Table.Cell("\(Show.size(usage.diskFree)) free of \(Show.size(usage.diskSize)), shared with all on the host")),
            ("processes", Table.Cell("\(usage.processes) of \(held.pids)" + later(held.pids, wanted.pids) { "\($0)" })),
        ]
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
