import FoundationEssentials
import KilnAPI
import KilnModel
import Testing

@Suite(.timeLimit(.minutes(1))) struct AuditTests {
    private func page(_ kilnd: ServerFixture, _ query: String = "") async throws -> ResourceList<AuditRecord> {
        let answer = try await kilnd.send("GET", "/api/v1/audit\(query)", token: "admin")
        return try JSONDecoder().decode(ResourceList<AuditRecord>.self, from: Data(answer.body))
    }

    @Test func `who did what to what, through what, done or refused`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let id = try await kilnd.makeWorkspace("hello").metadata.id
            #expect(try await kilnd.send("DELETE", "/api/v1/workspaces/hello?owner=anna", token: "ben").status == 404)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/@self/suspend", from: id).status == 202)
            #expect(try await kilnd.send("DELETE", "/api/v1/workspaces/@self", from: id).status == 403)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces", body: #"{"name":"hello"}"#).status == 409)
            let records = try await page(kilnd).items
            #expect(
                records.map(\.action) == [
                    "createWorkspace", "deleteWorkspace", "suspendWorkspace", "deleteWorkspace", "createWorkspace", "createWorkmachine",
                ])
            #expect(records.map(\.status) == [409, 403, 202, 404, 201, 201])
            #expect(records.map(\.code) == ["name-taken", "not-allowed", nil, "not-found", nil, nil])
            #expect(records.map(\.actor.owner.value) == ["anna", "anna", "anna", "ben", "anna", "anna"])
            #expect(records[1].actor.workspace == id && records[1].actor.token == nil)
            #expect(records[4].actor.workspace == nil && records[4].actor.token != nil)
            #expect(records[4].subject == .init(kind: .workspace, owner: name("anna"), name: name("hello"), id: id))
            #expect(records[0].subject == .init(kind: .workspace, owner: name("anna"), name: name("hello")))
            // What was refused to somebody is noted with what it was about, though they were not told.
            #expect(records[3].subject?.owner == name("anna"))
            #expect(zip(records, records.dropFirst()).allSatisfy { $0.sequence > $1.sequence && $0.time >= $1.time })
        }
    }

    @Test func `reading, asking without a token and reading Compose files leave no record`() async throws {
        try await ServerFixture.with { kilnd in
            _ = try await kilnd.send("GET", "/api/v1/workspaces")
            _ = try await kilnd.send("POST", "/api/v1/workspaces", token: nil, body: "{}")
            let sources = ComposeSources(files: [.init(path: "c", text: "services: {a: {image: x}}")])
            let body = String(decoding: try JSONEncoder().encode(InspectCompose(sources: sources)), as: UTF8.self)
            #expect(try await kilnd.send("POST", "/api/v1/compose", body: body).status == 200)
            #expect(try await page(kilnd).items.isEmpty)
        }
    }

    @Test func `it is for admins, paged and filtered`() async throws {
        try await ServerFixture.with { kilnd in
            for index in 0..<5 { _ = try await kilnd.send("POST", "/api/v1/workmachines", body: #"{"name":"m\#(index)"}"#) }
            _ = try await kilnd.send("POST", "/api/v1/workmachines", token: "ben", body: "{")
            #expect(try await kilnd.send("GET", "/api/v1/audit").status == 403)
            var names: [String?] = []
            var after: String?
            repeat {
                let page = try await page(kilnd, "?owner=anna&limit=2\(after.map { "&after=\($0)" } ?? "")")
                names += page.items.map(\.subject?.name?.value)
                after = page.next
            } while after != nil
            #expect(names == ["m4", "m3", "m2", "m1", "m0"])
            #expect(try await page(kilnd, "?refused=true").items.map(\.actor.owner.value) == ["ben"])
            #expect(try await page(kilnd, "?action=deleteWorkspace").items.isEmpty)
        }
    }

    @Test func `an admin makes a token for another owner, who uses it until it is revoked`() async throws {
        try await ServerFixture.with { kilnd in
            let made = try await kilnd.send("POST", "/api/v1/tokens", token: "admin", body: #"{"owner":"carl","label":"laptop"}"#)
            #expect(made.status == 201)
            let token = try JSONDecoder().decode(NewToken.self, from: Data(made.body))
            #expect(try await kilnd.send("GET", "/api/v1/session", token: token.text).text.contains(#""owner":"carl""#))
            var owners: [String] = []
            var after: String?
            repeat {
                let answer = try await kilnd.send("GET", "/api/v1/tokens?limit=3\(after.map { "&after=\($0)" } ?? "")", token: "admin")
                let page = try JSONDecoder().decode(ResourceList<TokenInfo>.self, from: Data(answer.body))
                #expect(page.items.count <= 3)
                owners += page.items.map(\.owner.value)
                after = page.next
            } while after != nil
            #expect(owners == ["anna", "ben", "root", "carl"])
            #expect(try await kilnd.send("GET", "/api/v1/tokens?after=nothing", token: "admin").status == 400)
            let list = try await kilnd.send("GET", "/api/v1/tokens?owner=carl", token: "admin").text
            #expect(list.contains("laptop") && !list.contains(token.text))
            for (method, path, body) in [("POST", "", #"{"owner":"anna","admin":true}"#), ("GET", "", nil), ("DELETE", "/\(token.token.id)", nil)] {
                #expect(try await kilnd.send(method, "/api/v1/tokens\(path)", token: token.text, body: body).status == 403)
            }
            #expect(try await kilnd.send("DELETE", "/api/v1/tokens/\(token.token.id)", token: "admin").status == 204)
            #expect(try await kilnd.send("GET", "/api/v1/session", token: token.text).status == 401)
            #expect(try await kilnd.send("DELETE", "/api/v1/tokens/\(token.token.id)", token: "admin").status == 404)
        }
    }
}
