import FoundationEssentials
import KilnAPI
import KilnModel
import KilnServer
import Testing

@Suite struct ProblemTests {
    private func problem(_ answer: Answer, _ status: Int, _ code: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
        #expect(answer.headers["content-type"] == "application/problem+json", sourceLocation: sourceLocation)
        let problem = try JSONDecoder().decode(Problem.self, from: Data(answer.body))
        #expect(problem.code.value == code, sourceLocation: sourceLocation)
        #expect(problem.status == status, sourceLocation: sourceLocation)
        #expect(!problem.detail.isEmpty, sourceLocation: sourceLocation)
    }

    @Test func `every mistake has its status and stable code`() async throws {
        try await ServerFixture.with { kilnd in
            try problem(try await kilnd.send("GET", "/nothing/here"), 404, "not-found")
            let method = try await kilnd.send("DELETE", "/api/v1/workspaces")
            try problem(method, 405, "method-not-allowed")
            #expect(method.headers["allow"] == "GET, POST" || method.headers["allow"] == "POST, GET")
            try problem(try await kilnd.send("POST", "/api/v1/workmachines", body: "{"), 400, "invalid-value")
            let missing = try await kilnd.send("POST", "/api/v1/workmachines", body: #"{"nome":"x"}"#)
            try problem(missing, 400, "invalid-value")
            #expect(missing.text.contains("The field name is missing."))
            let wrong = try await kilnd.send("POST", "/api/v1/workspaces", body: #"{"name":"x","memory":"much"}"#)
            #expect(wrong.text.contains("The field memory has the wrong type"))
            try problem(try await kilnd.send("POST", "/api/v1/workspaces", body: #"{"name":"x"}"#), 404, "not-found")
            try problem(try await kilnd.send("GET", "/api/v1/workspaces/none"), 404, "not-found")
            try problem(try await kilnd.send("GET", "/api/v1/workspaces?limit=0"), 400, "invalid-value")
            let large = String(repeating: " ", count: 5 << 20)
            try problem(try await kilnd.send("POST", "/api/v1/workspaces", body: large), 413, "too-large")
        }
    }

    @Test func `without a valid token there is nothing to see`() async throws {
        try await ServerFixture.with { kilnd in
            for path in ["/api/v1/workspaces", "/api/v1/session", "/metrics", "/api/v1/events", "/nothing"] {
                let answer = try await kilnd.send("GET", path, token: nil)
                try problem(answer, 401, "unauthenticated")
                #expect(answer.headers["www-authenticate"] == "Bearer")
                try problem(try await kilnd.send("GET", path, token: "kiln_wrong"), 401, "unauthenticated")
            }
            #expect(try await kilnd.send("GET", "/healthz", token: nil).status == 200)
            #expect(try await kilnd.send("GET", "/api/v1/session").text.contains(#""owner":"anna""#))
        }
    }

    @Test func `a revoked token is refused at once`() async throws {
        try await ServerFixture.with { kilnd in
            let configuration = try Configuration(instance: Instance(name: name("test"), slot: 31), stateDirectory: kilnd.directory)
            let text = try await KilnServer.createToken(configuration, owner: name("carl"), admin: false, label: "")
            #expect(try await kilnd.send("GET", "/api/v1/session", token: text).status == 200)
            let record = try #require(try await KilnServer.tokens(configuration).first { $0.owner == name("carl") })
            try await KilnServer.revokeToken(configuration, id: record.id)
            try problem(try await kilnd.send("GET", "/api/v1/session", token: text), 401, "unauthenticated")
        }
    }

    @Test(arguments: ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7433", "", "[::2]"])
    func `a host that is not this machine is refused, whatever the token`(host: String) async throws {
        try await ServerFixture.with { kilnd in
            try problem(try await kilnd.send("GET", "/api/v1/session", headers: ["Host": host]), 403, "not-allowed")
            try problem(try await kilnd.send("GET", "/healthz", headers: ["Host": host]), 403, "not-allowed")
        }
    }

    @Test(arguments: ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:7433"])
    func `the names of this machine are served`(host: String) async throws {
        try await ServerFixture.with { kilnd in
            let status = try await kilnd.send("GET", "/api/v1/session", headers: ["Host": host]).status
            #expect(status == 200)
        }
    }

    @Test(arguments: ["", "a;b", "../x", "A", "-a", "a-", "a b", "аnna", "a\\u0000", String(repeating: "a", count: 64)])
    func `hostile names are refused and not corrected`(hostile: String) async throws {
        try await ServerFixture.with { kilnd in
            try problem(try await kilnd.send("POST", "/api/v1/workmachines", body: #"{"name":"\#(hostile)"}"#), 400, "invalid-name")
            #expect(try await kilnd.send("GET", "/api/v1/workmachines").text == #"{"items":[]}"#)
        }
    }

    @Test(arguments: ["a;b", "..%2fx", "%2e%2e", "A", "@self", "a%00", "%"])
    func `hostile names in a path are refused`(hostile: String) async throws {
        try await ServerFixture.with { kilnd in
            try problem(try await kilnd.send("GET", "/api/v1/workspaces/\(hostile)"), 400, "invalid-name")
            try problem(try await kilnd.send("DELETE", "/api/v1/workspaces/\(hostile)"), 400, "invalid-name")
        }
    }

    @Test func `an address others could reach is refused`() throws {
        #expect(throws: KilnError.self) { try Configuration(instance: Instance(name: name("test"), slot: 0), address: "0.0.0.0") }
    }

    @Test func `readiness is an engine that is connected`() async throws {
        try await ServerFixture.with(connected: false) { kilnd in
            try problem(try await kilnd.send("GET", "/readyz", token: nil), 503, "engine-unavailable")
        }
        try await ServerFixture.with { kilnd in
            try await kilnd.wait("/readyz") { $0.contains("ready") }
        }
    }
}
