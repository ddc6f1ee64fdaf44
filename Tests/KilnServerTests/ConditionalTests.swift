import FoundationEssentials
import KilnAPI
import KilnModel
import Testing

/// `ETag` and `If-Match`: of two who change the same thing, the second is told.
@Suite(.timeLimit(.minutes(1))) struct ConditionalTests {
    private func tag(_ kilnd: ServerFixture, _ path: String) async throws -> String {
        try #require(try await kilnd.send("GET", path).headers["etag"])
    }

    private func refused(_ answer: Answer, _ what: String) {
        #expect(answer.status == 409, "\(what): \(answer.text)")
        #expect(answer.text.contains("stale-version"), "\(what)")
    }

    @Test func `a tag names id and version, and asks for a change while only the status changes`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let id = try await kilnd.makeWorkspace("hello").metadata.id
            let before = try await tag(kilnd, "/api/v1/workspaces/hello")
            #expect(before.hasPrefix("\"\(id).1."))
            let answer = try await kilnd.send("POST", "/api/v1/workspaces/hello/suspend", headers: ["If-Match": before])
            #expect(answer.status == 202)
            let asked = try #require(answer.headers["etag"])
            #expect(asked.hasPrefix("\"\(id).2."))
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains(#""phase":"Suspended""#) }
            // It has gone on, so it is another answer, about the same wish.
            #expect(try await tag(kilnd, "/api/v1/workspaces/hello") != asked)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/resume", headers: ["If-Match": asked]).status == 202)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/suspend", headers: ["If-Match": "\"\(id).3\""]).status == 202)
        }
    }

    @Test func `what is known already is not told again until it changes, its status included`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            let path = "/api/v1/workspaces/hello"
            let known = try await tag(kilnd, path)
            for header in [known, "\"x\", W/\(known)", "*"] {
                let answer = try await kilnd.send("GET", path, headers: ["If-None-Match": header])
                #expect(answer.status == 304 && answer.body.isEmpty && answer.headers["etag"] == known, "\(header): \(answer.status)")
            }
            #expect(try await kilnd.send("GET", path, headers: ["If-None-Match": "\"x\""]).status == 200)
            let asked = try #require(try await kilnd.send("POST", "\(path)/suspend").headers["etag"])
            try await kilnd.wait(path) { $0.contains(#""phase":"Suspended""#) }
            // The same version: only its status says that it was suspended.
            #expect(try await kilnd.send("GET", path, headers: ["If-None-Match": asked]).status == 200)
        }
    }

    @Test func `every request that changes a workspace honours If-Match`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            _ = try await kilnd.apply(ApplicationTests.first, status: 201)
            let path = "/api/v1/workspaces/hello"
            let old = try await tag(kilnd, path)
            #expect(try await kilnd.send("PATCH", path, headers: ["If-Match": old], body: #"{"milliCPUs":500}"#).status == 200)
            let new = try await tag(kilnd, path)
            #expect(new != old)
            let requests = [
                ("PATCH", path, #"{"milliCPUs":600}"#), ("DELETE", path, ""), ("POST", "\(path)/suspend", ""), ("POST", "\(path)/resume", ""),
                ("POST", "\(path)/connect", #"{"environment":"shop"}"#), ("POST", "\(path)/disconnect", ""),
                ("POST", "\(path)/intercept", #"{"service":"api"}"#), ("POST", "\(path)/release", "{}"),
            ]
            for (method, path, body) in requests {
                refused(try await kilnd.send(method, path, headers: ["If-Match": old], body: body), "\(method) \(path)")
            }
            #expect(try await tag(kilnd, path) == new)
            // One of several is enough, and * is any.
            #expect(try await kilnd.send("PATCH", path, headers: ["If-Match": "\(old), \(new)"], body: #"{"milliCPUs":700}"#).status == 200)
            #expect(try await kilnd.send("PATCH", path, headers: ["If-Match": "*"], body: #"{"milliCPUs":800}"#).status == 200)
            // The version in the body goes on working, and one of the two is needed.
            refused(try await kilnd.send("PATCH", path, body: #"{"version":1,"milliCPUs":500}"#), "version 1")
            #expect(try await kilnd.send("PATCH", path, body: #"{"version":4,"milliCPUs":900}"#).status == 200)
            #expect(try await kilnd.send("PATCH", path, body: #"{"milliCPUs":500}"#).status == 400)
            #expect(try await kilnd.send("DELETE", path, headers: ["If-Match": try await tag(kilnd, path)]).status == 202)
        }
    }

    @Test func `every request that changes an environment honours If-Match`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.apply(ApplicationTests.first, status: 201)
            let path = "/api/v1/environments/shop"
            let old = try await tag(kilnd, path)
            #expect(try await kilnd.send("POST", "\(path)/restart", headers: ["If-Match": old], body: "{}").status == 202)
            let requests = [
                ("PUT", path, try kilnd.body(ApplicationTests.second)), ("DELETE", path, ""), ("POST", "\(path)/start", ""),
                ("POST", "\(path)/stop", ""), ("POST", "\(path)/restart", "{}"), ("PATCH", "\(path)/settings", #"{"setVariables":["A=b"]}"#),
                ("POST", "\(path)/share", #"{"with":["ben"]}"#), ("POST", "\(path)/unshare", #"{"with":["ben"]}"#),
            ]
            for (method, path, body) in requests {
                refused(try await kilnd.send(method, path, headers: ["If-Match": old], body: body), "\(method) \(path)")
            }
            #expect(try await kilnd.send("GET", path).text.contains(#""version":2"#))
        }
    }

    @Test func `what was made again under the same name is not what was read`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            let old = try await tag(kilnd, "/api/v1/workspaces/hello")
            #expect(try await kilnd.send("DELETE", "/api/v1/workspaces/hello").status == 202)
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains("not-found") }
            _ = try await kilnd.makeWorkspace("hello")
            refused(try await kilnd.send("DELETE", "/api/v1/workspaces/hello", headers: ["If-Match": old]), "the new one")
            refused(try await kilnd.send("DELETE", "/api/v1/workmachines/local", headers: ["If-Match": "nonsense"]), "nonsense")
        }
    }
}
