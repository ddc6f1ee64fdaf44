internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct DoctorVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at everything kl needs, and say what mends what is wrong.",
        discussion: "Exits 1 when something is wrong.\n\nExamples:\n  kl doctor\n  kl doctor --json"
    )

    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let checks = await Self.checks(in: context)
        if common.json {
            try context.output.json(checks)
        } else {
            for check in checks {
                let mark = check.ok ? Table.Style.good : Table.Style.bad
                let word = check.ok ? "ok  " : "fail"
                context.output.line("\(context.output.standard.hasColours ? mark.paint(word) : word)  \(check.name): \(check.detail)")
                if let mend = check.mend { context.output.line("      try: \(mend)") }
            }
        }
        guard checks.allSatisfy(\.ok) else { throw ProgramEnded(status: 1) }
    }

    private static func checks(in context: Context) async -> [Check] {
        var checks: [Check] = []
        let configuration = await Check.run("configuration") {
            let access = try context.access()
            guard !access.isInside else { return "inside a workspace, through \(context.workspaceSocket)" }
            return
                "\(access.endpoint), \(access.token == nil ? "no token" : "a token"), file \(ConfigurationFile(environment: context.environment).path)"
        }
        checks.append(configuration)
        guard configuration.ok else { return checks }
        let server = await Check.run("server") {
            try await context.withClient { client in
                try await client.ready()
                return "ready at \(client.endpoint)"
            }
        }
        checks.append(server)
        guard server.ok else { return checks }
        let session = await Check.run("sign-in") {
            let session = try await context.withClient { try await $0.session() }
            guard session.version == KilnVersion.current else {
                throw KilnError(.invalidConfiguration, "kl is \(KilnVersion.current), kilnd is \(session.version).", hint: "make up")
            }
            return "\(session.owner), \(session.role.rawValue)"
        }
        checks.append(session)
        guard session.ok else { return checks }
        do {
            let inside = try context.access().isInside
            return try await checks + (inside ? WorkspaceChecks.run(in: context) : machines(in: context))
        } catch {
            return checks + [Check(name: "server", ok: false, detail: "\(error)")]
        }
    }

    private static func machines(in context: Context) async throws -> [Check] {
        let machines = try await context.withClient { try await $0.list(Workmachine.self) }
        guard !machines.isEmpty else {
            return [Check(name: "workmachines", ok: false, detail: "There are none.", mend: "kl machine create local")]
        }
        return machines.map { machine in
            let engine = machine.status.engine.map { ", \($0.engine), \($0.runtime), kernel \($0.kernel)" } ?? ""
            return Check(
                name: "workmachine \(machine.metadata.name)", ok: machine.status.phase == .ready,
                detail: (machine.status.reason?.message ?? machine.status.phase.rawValue.lowercased()) + engine, mend: machine.status.reason?.hint
            )
        }
    }
}
