import FoundationEssentials
import KilnAPI
import KilnModel
import Testing

@Suite struct LifecycleTests {
    @Test func `a workspace from creation to deletion`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let workspace = try await kilnd.makeWorkspace("hello")
            #expect(workspace.spec.limits == ResourceLimits(milliCPUs: 2000, memory: 4 << 30, pids: 4096))
            #expect(workspace.spec.image.value == "localhost/kiln/workspace")
            let id = workspace.metadata.id
            #expect(try await kilnd.send("GET", "/api/v1/workspaces/\(id)").status == 200)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces", body: #"{"name":"hello"}"#).status == 409)

            let stale = try await kilnd.send("PATCH", "/api/v1/workspaces/hello", body: #"{"version":7,"milliCPUs":500}"#)
            #expect(stale.status == 409)
            #expect(stale.text.contains("stale-version"))
            let patched = try await kilnd.send("PATCH", "/api/v1/workspaces/hello", body: #"{"version":1,"milliCPUs":500,"variables":["A=b"]}"#)
            #expect(patched.status == 200)
            #expect(try await kilnd.send("PATCH", "/api/v1/workspaces/hello", body: #"{"version":2,"milliCPUs":9000}"#).status == 400)

            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/suspend").status == 202)
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains(#""phase":"Suspended""#) }
            #expect(await kilnd.engine.workspaces[id]?.limits.milliCPUs == 500)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/sessions", body: "").status == 409)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/resume").status == 202)
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains(#""phase":"Running""#) }
            #expect(try await kilnd.send("DELETE", "/api/v1/workmachines/local").text.contains("in-use"))
            #expect(try await kilnd.send("DELETE", "/api/v1/workspaces/hello").status == 202)
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains("not-found") }
        }
    }

    @Test func `an environment from a Compose file, its connection, report and logs`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            let compose = "services:\n  db:\n    image: postgres:16\n    expose: [\"5432\"]\n"
            let request = CreateEnvironment(name: name("shop"), bundle: .init(sources: .init(files: [.init(path: "compose.yaml", text: compose)])))
            let body = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
            let created = try await kilnd.send("POST", "/api/v1/environments", body: body)
            #expect(created.status == 201, "\(created.text)")
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Running""#) }

            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/connect", body: #"{"environment":"none"}"#).status == 404)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/connect", body: #"{"environment":"shop"}"#).status == 202)
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains(#""phase":"Connected""#) }
            let report = try JSONDecoder().decode(
                WorkspaceReport.self, from: Data(try await kilnd.send("GET", "/api/v1/workspaces/hello/report").body))
            #expect(report.workmachine == name("local"))
            #expect(report.usage?.memory == 2)
            #expect(report.environment?.metadata.name == name("shop"))

            let logs = try await kilnd.send("GET", "/api/v1/environments/shop/logs?tail=2")
            let lines = try logs.text.split(separator: "\n").map { try JSONDecoder().decode(LogLine.self, from: Data($0.utf8)) }
            #expect(lines.map(\.text) == ["line 2", "line 3"])
            #expect(lines.first?.service == name("db"))
            #expect(try await kilnd.send("GET", "/api/v1/environments/shop/logs?service=web").status == 404)

            #expect(try await kilnd.send("POST", "/api/v1/environments/shop/stop").status == 202)
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Stopped""#) }
            let refused = try await kilnd.send("POST", "/api/v1/workspaces/hello/connect", body: #"{"environment":"shop"}"#)
            #expect(refused.status == 409)
            #expect(refused.text.contains("kl env start shop"))
            #expect(try await kilnd.send("DELETE", "/api/v1/environments/shop?volumes=true").status == 202)
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains("not-found") }
            #expect(await kilnd.engine.removedVolumes.count == 1)
            try await kilnd.wait("/api/v1/workspaces/hello") { !$0.contains("connection") }
        }
    }

    @Test func `a wrong Compose file is refused with its place, and leaves nothing`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let request = CreateEnvironment(
                name: name("shop"), bundle: .init(sources: .init(files: [.init(path: "compose.yaml", text: "services:\n  db:\n    imago: x\n")])))
            let body = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
            let answer = try await kilnd.send("POST", "/api/v1/environments", body: body)
            #expect(answer.status == 400)
            #expect(answer.text.contains("invalid-compose"))
            #expect(answer.text.contains("compose.yaml:"))
            #expect(try await kilnd.send("GET", "/api/v1/environments").text == #"{"items":[]}"#)
        }
    }

    @Test func `what is another owner's looks as if it were not there`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let id = try await kilnd.makeWorkspace("hello").metadata.id
            for path in ["hello", "\(id)", "hello?owner=anna", "anna%2Fhello"] {
                let answer = try await kilnd.send("GET", "/api/v1/workspaces/\(path)", token: "ben")
                #expect(answer.status == 404)
                #expect(path.hasPrefix("anna") || !answer.text.contains("anna"))
            }
            #expect(try await kilnd.send("DELETE", "/api/v1/workspaces/\(id)", token: "ben").status == 404)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/\(id)/suspend", token: "ben").status == 404)
            #expect(try await kilnd.send("GET", "/api/v1/workspaces/\(id)/logs", token: "ben").status == 404)
            #expect(try await kilnd.send("GET", "/api/v1/events?resource=\(id)", token: "ben").status == 404)
            #expect(try await kilnd.send("GET", "/api/v1/workspaces?owner=anna", token: "ben").text == #"{"items":[]}"#)
            #expect(try await kilnd.send("GET", "/api/v1/workspaces?owner=*", token: "ben").status == 403)
            #expect(try await kilnd.send("POST", "/api/v1/workmachines?owner=anna", token: "ben", body: #"{"name":"x"}"#).status == 404)
            #expect(try await kilnd.send("GET", "/api/v1/workspaces?owner=*", token: "admin").text.contains("hello"))
            for path in ["hello?owner=anna", "anna%2Fhello", "anna%2fhello", "anna%2Fhello?owner=ben"] {
                #expect(try await kilnd.send("GET", "/api/v1/workspaces/\(path)", token: "admin").status == 200, "\(path)")
            }
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/anna%2Fhello/suspend", token: "admin").status == 202)
            for path in ["anna%2F..%2Fhello", "%2Fhello", "anna%2F", "Anna%2Fhello", "anna%252Fhello"] {
                #expect(try await kilnd.send("GET", "/api/v1/workspaces/\(path)", token: "admin").status == 400, "\(path)")
            }
        }
    }

    @Test func `lists are paged, and a page is what single reads give`() async throws {
        try await ServerFixture.with { kilnd in
            for index in 0..<7 { _ = try await kilnd.send("POST", "/api/v1/workmachines", body: #"{"name":"m\#(index)"}"#) }
            try await kilnd.wait("/api/v1/workmachines") { $0.components(of: #""phase":"Ready""#) == 7 }
            var names: [String] = []
            var after: String?
            repeat {
                let answer = try await kilnd.send("GET", "/api/v1/workmachines?limit=3\(after.map { "&after=\($0)" } ?? "")")
                let page = try JSONDecoder().decode(ResourceList<Workmachine>.self, from: Data(answer.body))
                names += page.items.map(\.metadata.name.value)
                after = page.next
            } while after != nil
            #expect(names == (0..<7).map { "m\($0)" })
            #expect(try await kilnd.send("GET", "/api/v1/workmachines?prefix=m3").text.contains(#""next""#) == false)
        }
    }

    @Test func `metrics tell of requests, resources and the engine, to those with a token`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let text = try await kilnd.send("GET", "/metrics").text
            #expect(text.contains(#"kiln_resources{kind="workmachine",phase="Ready"} 1"#))
            #expect(text.contains("kiln_engine_connected 1"))
            #expect(text.contains(#"kiln_http_request_duration_seconds_count{route="/api/v1/workmachines",method="POST",status="201"} 1"#))
            #expect(text.contains(#"kiln_reconcile_duration_seconds_count{kind="workmachine"}"#))
        }
    }
}

extension String {
    func components(of part: String) -> Int { split(separator: part, omittingEmptySubsequences: false).count - 1 }
}
