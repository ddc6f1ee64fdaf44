import FoundationEssentials
import Glibc
import KilnAPI
import KilnModel
import KilnServer
import KilnStore
import Logging
import Testing

/// What people get wrong: a stable code and the mend, nothing half made, nothing lost. Names, contexts that leave their folder, clones and images are
/// tried where they are judged: `ProblemTests`, `PackedContextTests`, the end-to-end tests.
@Suite(.timeLimit(.minutes(2))) struct BadInputTests {
    private func problem(_ answer: Answer) throws -> Problem { try JSONDecoder().decode(Problem.self, from: Data(answer.body)) }

    @Test(
        arguments: [
            ("not YAML", "services: [\n", "compose.yaml:"), ("no mapping", "just a text", "compose.yaml:1"), ("empty", "", "compose.yaml"),
            ("no services", "volumes: {a: {}}", "services"),
            ("a cycle", "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n", "a"),
            ("no image", "services:\n  db: {command: x}\n", "db"),
            (
                "a port twice", "services:\n  a: {image: x, ports: [\"80:80\", \"80:80\"]}\n", "80:80"
            ),
            ("a key nobody knows", "services:\n  a: {image: x, imago: y}\n", "imago"),
            ("a privilege", "services:\n  a: {image: x, privileged: true}\n", "privileged"),
            ("a host path", "services:\n  a: {image: x, volumes: [\"/etc:/etc\"]}\n", "/etc"),
            ("a name that is none", "services:\n  A_b: {image: x}\n", "A_b"),
            ("an image that is none", "services:\n  a: {image: \"x y\"}\n", "x y"),
        ])
    func `a wrong Compose file is refused with its place and leaves nothing`(what: String, compose: String, text: String) async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let before = try await kilnd.apply("services: {a: {image: x}}", status: 201)
            for (method, path, name) in [("POST", "/api/v1/environments", "new"), ("PUT", "/api/v1/environments/shop", "shop")] {
                let answer = try await kilnd.send(method, path, body: try kilnd.body(compose, name: name))
                let problem = try problem(answer)
                #expect(answer.status == 400 && problem.code == .invalidCompose, "\(what): \(answer.text)")
                #expect((problem.detail + (problem.hint ?? "")).contains(text), "\(what): \(answer.text)")
            }
            let list = try JSONDecoder().decode(
                ResourceList<Environment>.self, from: Data(try await kilnd.send("GET", "/api/v1/environments").body))
            #expect(list.items.map(\.metadata.name) == [name("shop")])
            #expect(list.items.first?.spec == before.environment?.spec)
        }
    }

    @Test func `what is there already, not there or in use is said with the way on`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            _ = try await kilnd.apply("services: {a: {image: x}}", status: 201)
            let cases: [(String, String, String?, Int, String, String)] = [
                ("POST", "/workmachines", #"{"name":"local"}"#, 409, "name-taken", "kl machine delete local"),
                ("POST", "/workspaces", #"{"name":"hello"}"#, 409, "name-taken", "kl ws delete hello"),
                ("POST", "/environments", try kilnd.body("services: {a: {image: x}}"), 409, "name-taken", "kl env delete shop"),
                ("GET", "/workspaces/nobody", nil, 404, "not-found", "kl ws list"),
                ("POST", "/workspaces/nobody/connect", #"{"environment":"shop"}"#, 404, "not-found", "kl ws list"),
                ("POST", "/workspaces/hello/connect", #"{"environment":"nothing"}"#, 404, "not-found", "kl env list"),
                ("POST", "/workspaces", #"{"name":"w","workmachine":"none"}"#, 404, "not-found", "kl machine create none"),
                ("DELETE", "/workmachines/local", nil, 409, "in-use", "kl ws delete hello"),
                ("POST", "/workspaces", #"{"name":"w","repository":"ext::sh -c id"}"#, 400, "invalid-value", "https://host/team/repo.git"),
                ("POST", "/workspaces", #"{"name":"w","image":"../x"}"#, 400, "invalid-value", "postgres:16"),
                ("POST", "/workspaces", #"{"name":"w","memory":1}"#, 400, "invalid-value", "64 MiB"),
                ("POST", "/environments/shop/sessions?service=b", "", 404, "not-found", "It has a."),
                ("POST", "/environments/shop/restart", #"{"services":["b"]}"#, 404, "not-found", "It has a."),
                ("GET", "/workspaces?phase=Nope", nil, 400, "invalid-value", "Use one of Pending, Starting,"),
                ("GET", "/environments?phase=Suspended", nil, 400, "invalid-value", "Degraded"),
                ("GET", "/workspaces?after=bogus", nil, 400, "invalid-value", "next of the page before"),
                ("GET", "/workspaces?prefix=Hel", nil, 400, "invalid-value", "a-z"),
                ("GET", "/workspaces?fase=Running", nil, 400, "invalid-value", "?phase="),
                ("DELETE", "/environments/shop?volume=true", nil, 400, "invalid-value", "?volumes="),
                ("GET", "/events?kind=workspaces2", nil, 400, "invalid-value", "workmachine, workspace, environment"),
            ]
            for (method, path, body, status, code, hint) in cases {
                let answer = try await kilnd.send(method, "/api/v1\(path)", body: body)
                let problem = try problem(answer)
                #expect(answer.status == status && problem.code.value == code, "\(method) \(path): \(answer.text)")
                #expect(problem.hint?.contains(hint) == true, "\(method) \(path): \(answer.text)")
            }
            #expect(try await kilnd.send("GET", "/api/v1/workspaces").text.components(of: #""metadata""#) == 1)
            for query in ["prefix=he", "prefix=hel-", "phase=Running&limit=1", "after=anna%2Fhello"] {
                #expect(try await kilnd.send("GET", "/api/v1/workspaces?\(query)").status == 200, "\(query)")
            }
            #expect(try await kilnd.send("GET", "/api/v1/workspaces?phase=Running&phase=Failed").text.contains("twice"))
            #expect(try await kilnd.send("GET", "/api/v1/audit?action=makeTea", token: "admin").status == 400)
            #expect(try await kilnd.send("GET", "/api/v1/audit?action=createWorkspace", token: "admin").status == 200)
        }
    }

    @Test func `a full disk is said, nothing is half made, and space heals it`() async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/kiln-full-\(ResourceID.random())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try #require(mount("tmpfs", directory, "tmpfs", 0, "size=2m") == 0, "needs root")
        defer {
            umount2(directory, Int32(MNT_DETACH))
            rmdir(directory)
        }
        try await ServerFixture.with(directory: directory, maximumContext: 16 << 20) { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            // An upload that does not fit leaves nothing behind.
            let large = String(repeating: "x", count: 8 << 20)
            let upload = try await kilnd.send("PUT", "/api/v1/contexts/\(String(repeating: "a", count: 64))", body: large)
            #expect(try problem(upload).code == .diskFull, "\(upload.text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory)/kilnd/contexts").isEmpty)

            // Whatever takes up the rest, a request that cannot be kept says so and changes nothing.
            let filler = "\(directory)/filler"
            let descriptor = open(filler, O_CREAT | O_WRONLY, 0o600)
            let block = [UInt8](repeating: 0, count: 1 << 12)
            while write(descriptor, block, block.count) > 0 {}
            close(descriptor)
            var refusals = 0
            var made = 0
            for index in 0..<400 where refusals == 0 {
                let answer = try await kilnd.send("POST", "/api/v1/workmachines", body: #"{"name":"m\#(index)"}"#)
                if answer.status == 201 {
                    made += 1
                } else {
                    refusals += 1
                    let problem = try problem(answer)
                    #expect(problem.code == .diskFull && problem.hint?.contains("Free some space") == true, "\(answer.text)")
                }
            }
            #expect(refusals == 1)
            #expect(try await kilnd.send("GET", "/api/v1/workspaces/hello").status == 200)
            #expect(try await kilnd.send("GET", "/api/v1/workmachines/m\(made)").status == 404)

            unlink(filler)
            #expect(try await kilnd.send("POST", "/api/v1/workmachines", body: #"{"name":"m\#(made)"}"#).status == 201)
            try await kilnd.wait("/api/v1/workmachines/m\(made)") { $0.contains(#""phase":"Ready""#) }
        }
    }
}
