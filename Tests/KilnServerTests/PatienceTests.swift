import FoundationEssentials
import KilnModel
import Testing

/// `Prefer: wait`: one answer that tells what a change has brought about.
@Suite(.timeLimit(.minutes(1))) struct PatienceTests {
    private func workspace(_ answer: Answer) throws -> Workspace { try JSONDecoder().decode(Workspace.self, from: Data(answer.body)) }

    @Test func `who would like to wait is answered when it has come about`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let made = try await kilnd.send("POST", "/api/v1/workspaces", headers: ["Prefer": "wait=5"], body: #"{"name":"hello"}"#)
            #expect(made.status == 201 && made.headers["preference-applied"] == "wait=5")
            #expect(made.headers["location"]?.hasPrefix("/api/v1/workspaces/") == true)
            #expect(try workspace(made).status.phase == .running)

            let path = "/api/v1/workspaces/hello"
            let suspended = try await kilnd.send("POST", "\(path)/suspend", headers: ["Prefer": "respond-async, wait=3"])
            #expect(suspended.status == 202 && suspended.headers["preference-applied"] == "wait=3")
            #expect(try workspace(suspended).status.phase == .suspended)
            #expect(suspended.headers["etag"]?.hasPrefix("\"\(try workspace(made).metadata.id).2.") == true)
            // What is so already is answered at once, and more than five seconds are nobody's.
            let again = try await kilnd.send("POST", "\(path)/suspend", headers: ["Prefer": "wait=3600"])
            #expect(again.status == 202 && again.headers["preference-applied"] == "wait=5")
            #expect(try workspace(again).status.phase == .suspended)
        }
    }

    @Test func `without the wish, or with one that is not understood, nothing is waited for`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            for wish in ["", "wait", "wait=", "wait=-1", "wait=x", "handling=strict"] {
                let headers = wish.isEmpty ? [:] : ["Prefer": wish]
                let answer = try await kilnd.send("PATCH", "/api/v1/workspaces/hello", headers: headers, body: #"{"version":1,"milliCPUs":500}"#)
                #expect(answer.headers["preference-applied"] == nil, "\(wish)")
            }
        }
    }

    /// Without an engine nothing comes about.
    @Test func `when the time is over the answer tells how far it is`() async throws {
        try await ServerFixture.with(connected: false) { kilnd in
            let answer = try await kilnd.send("POST", "/api/v1/workmachines", headers: ["Prefer": "wait=1"], body: #"{"name":"local"}"#)
            #expect(answer.status == 201 && answer.headers["preference-applied"] == "wait=1")
            #expect(!answer.text.contains(#""phase":"Ready""#))
        }
    }
}
