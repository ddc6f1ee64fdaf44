internal import KilnAPI
internal import KilnModel

/// Workmachines, for people.
enum MachineTable {
    static func list(_ machines: [Workmachine], now: Timestamp) -> Table {
        var table = Table(header: ["NAME", "PHASE", "SINCE", "CPUS", "MEMORY", "OWNER"])
        table.rows = machines.map { machine in
            [
                Table.Cell(machine.metadata.name.value), Show.phase(machine.status.phase.rawValue),
                Table.Cell(Show.since(machine.status.since, now: now)), Table.Cell(machine.status.engine.map { "\($0.cpus)" } ?? "-"),
                Table.Cell(machine.status.engine.map { Show.size($0.memory) } ?? "-"), Table.Cell(machine.metadata.owner.value),
            ]
        }
        return table
    }

    static func packages(_ usage: PackageUsageReport) -> Table {
        .facts(
            [("packages", Table.Cell("\(Show.size(usage.store)) in the store, \(Show.size(usage.collectable)) of it not needed"))]
                + usage.workspaces.map { ("", Table.Cell("\($0.workspace) \(Show.size($0.size))")) })
    }

    static func facts(_ machine: Workmachine, now: Timestamp) -> Table {
        var facts: [(String, Table.Cell)] = [
            ("workmachine", Table.Cell(machine.metadata.name.value)),
            ("owner", Table.Cell(machine.metadata.owner.value)),
            ("phase", Show.phase(machine.status.phase.rawValue)),
            ("since", Table.Cell(Show.since(machine.status.since, now: now))),
        ]
        if let reason = machine.status.reason { facts.append(("reason", Table.Cell(reason.message, .bad))) }
        if let engine = machine.status.engine {
            facts += [
                ("engine", Table.Cell("\(engine.engine), \(engine.runtime)")), ("kernel", Table.Cell(engine.kernel)),
                ("host", Table.Cell("\(engine.cpus) CPUs, \(Show.size(engine.memory)) memory")),
            ]
        }
        return .facts(facts + [("id", Table.Cell(machine.metadata.id.value))])
    }
}
