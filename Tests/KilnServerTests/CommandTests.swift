import Foundation
import KilnCommands
import KilnModel
import Synchronization
import Testing

/// `kl` itself, in this process, against a kilnd that serves: what is typed, what comes of it, what is printed.
@Suite(.timeLimit(.minutes(2))) struct CommandTests {
    struct Run {
        var status: Int32
        var output: String
        var error: String
    }

    private static let compose = """
        services:
          api:
            image: api:1
            environment: {GREETING: "${GREETING:-hello}"}
            secrets: [key]
            expose: ["8080"]
          db: {image: postgres:16}
        secrets: {key: {external: true}}
        """

    /// - Parameter input: what comes in through standard input.
    private func kl(_ kilnd: ServerFixture, as token: String? = nil, input: String = "", _ arguments: String...) async throws -> Run {
        let texts = Texts()
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try pipe.fileHandleForWriting.close()
        let context = Context(
            environment: ["HOME": "/nonexistent", "KILN_URL": "http://127.0.0.1:\(kilnd.port)", "KILN_TOKEN": token ?? kilnd.anna],
            output: texts.output, input: Input(descriptor: pipe.fileHandleForReading.fileDescriptor, ask: nil), workspaceSocket: "/nonexistent",
            now: { Timestamp(seconds: Date().timeIntervalSince1970) })
        let status = await KlProgram.run(arguments, in: context)
        return Run(status: status, output: texts.standard, error: texts.error)
    }

    private func shop(_ body: @escaping @Sendable (ServerFixture, _ folder: String) async throws -> Void) async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let folder = "\(kilnd.directory)/project"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Self.compose.write(toFile: "\(folder)/compose.yaml", atomically: false, encoding: .utf8)
            let created = try await kl(kilnd, "env", "create", "shop", "--file", "\(folder)/compose.yaml")
            #expect(created.status == 0, "\(created.error)")
            try await body(kilnd, folder)
        }
    }

    @Test func `variables, secrets and files are set, listed and forgotten`() async throws {
        try await shop { kilnd, folder in
            let set = try await kl(kilnd, "env", "config", "set", "shop", "GREETING=salve")
            #expect(set.status == 0 && set.output.contains("api      change  environment") && !set.output.contains("db"), "\(set)")
            let unused = try await kl(kilnd, "env", "config", "set", "shop", "NOBODY=1")
            #expect(unused.output == "Set. No service of shop changes by NOBODY.\n", "\(unused)")
            #expect(try await kl(kilnd, input: "A=1\nB=2\n", "env", "config", "import", "shop", "-", "--service", "db").status == 0)

            let secret = try await kl(kilnd, input: "s3cret\n", "env", "secret", "set", "shop", "key")
            #expect(secret.status == 0 && secret.output.contains("secrets"), "\(secret)")
            #expect(try await kl(kilnd, "env", "secret", "list", "shop").output.contains("key     command"))
            let id = try #require(await kilnd.engine.environments.keys.first)
            #expect(await kilnd.engine.environments[id]?.secrets.first?.value.bytes == Array("s3cret\n".utf8))

            #expect(try await kl(kilnd, input: "conf", "env", "config-file", "set", "shop", "api", "/etc/api.conf", "--mode", "0640").status == 0)
            #expect(try await kl(kilnd, "env", "config-file", "list", "shop").output.contains("api      /etc/api.conf  640   4 B"))
            let list = try await kl(kilnd, "env", "config", "list", "shop").output
            for text in ["GREETING", "salve", "NOBODY", "db", "/etc/api.conf", "key"] { #expect(list.contains(text), "\(list)") }
            #expect(!list.contains("s3cret"))
            for verb in [
                ["env", "show", "shop", "--json"], ["env", "config", "list", "shop", "--json"], ["env", "secret", "list", "shop", "--json"],
            ] {
                let shown = try await kl(kilnd, verb[0], verb[1], verb[2], verb[3], verb.last ?? "")
                #expect(!shown.output.contains("s3cret"))
            }

            try Self.compose.replacingOccurrences(of: "api:1", with: "api:2").write(
                toFile: "\(folder)/compose.yaml", atomically: false, encoding: .utf8)
            let applied = try await kl(kilnd, "env", "apply", "shop", "--file", "\(folder)/compose.yaml")
            #expect(applied.status == 0 && applied.output.contains("image"), "\(applied)")
            #expect(await kilnd.engine.environments[id]?.services.first?.variables.map(\.description) == ["GREETING=salve"])

            #expect(try await kl(kilnd, "env", "config", "unset", "shop", "GREETING").output.contains("environment"))
            #expect(try await kl(kilnd, "env", "config", "unset", "shop", "GREETING").status == 3)
            #expect(try await kl(kilnd, "env", "config-file", "unset", "shop", "api", "/etc/api.conf").status == 0)
            let needed = try await kl(kilnd, "env", "secret", "unset", "shop", "key")
            #expect(needed.status == 5 && needed.error.contains("api needs the secret key"))
        }
    }

    @Test func `an export makes the environment again, from a folder that only its owner reads`() async throws {
        try await shop { kilnd, folder in
            #expect(try await kl(kilnd, input: "s3cret", "env", "secret", "set", "shop", "key").status == 0)
            let plain = try await kl(kilnd, "env", "export", "shop", "--to", "\(folder)/plain")
            #expect(plain.status == 0 && plain.error.contains("kl env secret set shop key"), "\(plain)")
            #expect(!(try String(contentsOfFile: "\(folder)/plain/environment.json", encoding: .utf8)).contains("czNjcmV0"))
            #expect(try await kl(kilnd, "env", "export", "shop", "--to", "\(folder)/whole", "--secrets").status == 0)
            #expect(try FileManager.default.attributesOfItem(atPath: "\(folder)/whole")[.posixPermissions] as? Int == 0o700)
            let made = try await kl(kilnd, "env", "create", "again", "--from", "\(folder)/whole")
            #expect(made.status == 0, "\(made)")
            #expect(await kilnd.engine.environments.values.filter { $0.secrets.first?.value.bytes == Array("s3cret".utf8) }.count == 2)
            #expect(try await kl(kilnd, "env", "export", "shop", "--to", "\(folder)/whole").status == 2)
        }
    }

    @Test func `what is shared is listed, shown and used by its full name`() async throws {
        try await shop { kilnd, _ in
            let shared = try await kl(kilnd, "env", "share", "shop", "--with", "ben")
            #expect(shared.output.contains("kl env connect anna/shop"), "\(shared)")
            #expect(try await kl(kilnd, "env", "show", "shop").output.contains("shared with  ben"))
            #expect(try await kl(kilnd, as: kilnd.ben, "env", "list").output.contains("shop"))
            #expect(try await kl(kilnd, as: kilnd.ben, "env", "show", "anna/shop").status == 0)
            #expect(try await kl(kilnd, as: kilnd.ben, "env", "stop", "anna/shop").status == 4)
            #expect(try await kl(kilnd, "env", "unshare", "shop", "--with", "ben").status == 0)
            #expect(try await kl(kilnd, as: kilnd.ben, "env", "show", "anna/shop").status == 3)
        }
    }

    @Test func `the doctor tries each thing, goes on past what is wrong, and names what mends it`() async throws {
        try await shop { kilnd, _ in
            let well = try await kl(kilnd, "doctor")
            #expect(well.status == 0, "\(well)")
            for name in [
                "server", "sign-in", "kilnd's store", "kilnd's secrets", "kilnd's disk", "kilnd's agent", "workmachine local", "environments",
            ] {
                #expect(well.output.contains("ok    \(name): "), "\(well.output)")
            }
            let id = try #require(await kilnd.engine.environments.keys.first)
            await kilnd.engine.set([name("api"): .failed], of: id)
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Degraded""#) }
            let ill = try await kl(kilnd, "doctor")
            #expect(ill.status == 1 && ill.output.contains("fail  environment shop: "), "\(ill.output)")
        }
        try await ServerFixture.with(connected: false) { kilnd in
            let run = try await kl(kilnd, "doctor")
            #expect(run.status == 1 && run.output.contains("fail  kilnd's agent: ") && run.output.contains("try: "), "\(run.output)")
            #expect(run.output.contains("ok    kilnd's disk: ") && run.output.contains("try: kl machine create local"), "\(run.output)")
        }
    }

    @Test func `lists are paged and filtered, the audit and tokens are for admins`() async throws {
        try await shop { kilnd, _ in
            for name in ["one", "two", "three"] { #expect(try await kl(kilnd, "ws", "create", name).status == 0) }
            #expect(try await kl(kilnd, "ws", "list", "--quiet", "--prefix", "t").output == "three\ntwo\n")
            let page = try await kl(kilnd, "ws", "list", "--quiet", "--limit", "2")
            #expect(page.output == "one\nthree\n" && page.error.contains("--after anna/three"), "\(page)")
            #expect(try await kl(kilnd, "ws", "list", "--quiet", "--after", "anna/three").output == "two\n")
            #expect(try await kl(kilnd, "ws", "list", "--phase", "Suspended").error == "There are no such workspaces.\n")
            #expect(
                try await kl(kilnd, "ws", "list", "--quiet", "--workmachine", "local", "--limit", "1", "--json").output.contains(
                    #""next" : "anna/one""#))
            #expect(try await kl(kilnd, "ws", "list", "--all-owners").status == 4)
            #expect(try await kl(kilnd, as: kilnd.admin, "env", "list", "--all-owners", "--quiet").output == "shop\n")

            #expect(try await kl(kilnd, "audit").status == 4)
            let audit = try await kl(kilnd, as: kilnd.admin, "audit", "--limit", "2", "--owner", "anna")
            #expect(
                audit.output.contains("createWorkspace") && audit.output.contains("workspace anna/three") && audit.error.contains("--after"),
                "\(audit)")
            let made = try await kl(kilnd, as: kilnd.admin, "token", "create", "--owner", "carl", "--label", "laptop")
            let token = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(try await kl(kilnd, as: token, "ws", "list").error.contains("There are no workspaces."))
            #expect(try await kl(kilnd, as: kilnd.admin, "token", "list", "--owner", "carl").output.contains("laptop"))
            #expect(try await kl(kilnd, as: token, "token", "list").status == 4)
        }
    }
}

/// What a run of `kl` printed.
private final class Texts: Sendable {
    private let texts = Mutex((standard: "", error: ""))

    var standard: String { texts.withLock(\.standard) }
    var error: String { texts.withLock(\.error) }

    var output: Output {
        Output(
            standard: .init(isTerminal: false, hasColours: false) { bytes in
                self.texts.withLock { $0.standard += String(decoding: bytes, as: UTF8.self) }
            },
            error: .init(isTerminal: false, hasColours: false) { bytes in self.texts.withLock { $0.error += String(decoding: bytes, as: UTF8.self) } }
        )
    }
}
