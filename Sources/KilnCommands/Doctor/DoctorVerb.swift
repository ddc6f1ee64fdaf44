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
                try await client.alive()
                return "answers at \(client.endpoint)"
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
            return try await checks + (inside ? WorkspaceChecks.run(in: context) : OutsideChecks.run(in: context))
        } catch {
            return checks + [Check(name: "server", ok: false, detail: "\(error)")]
        }
    }
}
