internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentShow: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show an environment and its services.",
        discussion: "Examples:\n  kl env show shop\n  kl e show shop --json"
    )

    @OptionGroup var environment: EnvironmentArgument
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let found = try await client.get(Environment.self, environment.reference)
            if common.json { return try context.output.json(found) }
            context.output.table(ServiceTable.head(found, now: context.now()))
            ServiceTable.print(found, to: context)
            InterceptTable.print(try await client.intercepts(in: .id(found.metadata.id)), to: context)
        }
    }
}

/// An environment and its services, for people.
enum ServiceTable {
    static func head(_ environment: Environment, now: Timestamp) -> Table {
        var facts: [(String, Table.Cell)] = [
            ("environment", Table.Cell(environment.metadata.name.value)),
            ("owner", Table.Cell(environment.metadata.owner.value)),
            ("phase", Show.phase(environment.status.phase.rawValue)),
            ("since", Table.Cell(Show.since(environment.status.since, now: now))),
        ]
        if !environment.spec.sharedWith.isEmpty {
            facts.append(("shared with", Table.Cell(environment.spec.sharedWith.map(\.value).joined(separator: ", "))))
        }
        if let activity = environment.status.activity { facts.append(("doing", Table.Cell(activity.printable()))) }
        if let reason = environment.status.reason {
            facts.append(("reason", Table.Cell(reason.message, .bad)))
            if let hint = reason.hint { facts.append(("try", Table.Cell(hint))) }
        }
        return .facts(facts)
    }

    /// Prints the services, and what those said last that ended.
    static func print(_ environment: Environment, to context: Context) {
        context.output.line()
        context.output.table(services(environment, now: context.now()))
        for service in environment.status.services {
            guard let replicas = service.replicas else {
                said(service.name.value, service.crash, to: context)
                continue
            }
            for replica in replicas { said(Replica(service.name, replica.number).description, replica.crash, to: context) }
        }
    }

    private static func said(_ name: String, _ crash: Crash?, to context: Context) {
        guard let lines = crash?.lastLines, !lines.isEmpty else { return }
        context.output.line("\n\(name) said last:")
        for line in lines { context.output.line("  \(line.printable())") }
    }

    /// In the order of the Compose file; services not looked at yet included. Below a service of several containers each of them.
    static func services(_ environment: Environment, now: Timestamp) -> Table {
        let known = Dictionary(environment.status.services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var table = Table(header: ["SERVICE", "PHASE", "ADDRESS", "PORTS", "RESTARTS", "REASON"])
        table.rows = environment.spec.services.flatMap { service -> [[Table.Cell]] in
            let status = known[service.name]
            let address = status?.address ?? AddressPlan.virtual(min(max(1, service.addressIndex), AddressPlan.maximumIndex))
            let replicas = status?.replicas ?? []
            let reason = replicas.isEmpty ? self.reason(status?.reason, status?.exitStatus, status?.crash, now) : ""
            let own = [
                Table.Cell(service.name.value), status.map { Show.phase($0.phase.rawValue) } ?? Table.Cell("-", .faint),
                Table.Cell(address.description),
                Table.Cell(Show.ports(status?.ports ?? service.ports)), Table.Cell("\(status?.restarts ?? 0)"), Table.Cell(reason),
            ]
            return [own]
                + replicas.map { replica in
                    [
                        Table.Cell("  \(Replica(service.name, replica.number))"), Show.phase(replica.phase.rawValue),
                        Table.Cell(replica.address.description), Table.Cell(""), Table.Cell("\(replica.restarts)"),
                        Table.Cell(self.reason(replica.reason, replica.exitStatus, replica.crash, now)),
                    ]
                }
        }
        return table
    }

    private static func reason(_ reason: Reason?, _ exitStatus: Int?, _ crash: Crash?, _ now: Timestamp) -> String {
        var text = reason?.message ?? exitStatus.map { "ended with status \($0)" } ?? ""
        if let next = crash?.nextTry {
            text += next > now ? " Next try in \(Show.duration((next - now).rounded(.up)))." : " Next try now."
        }
        return text
    }
}
