import FoundationEssentials
import KilnAPI
import KilnModel
import Testing

@Suite struct EventTests {
    /// Opens an event stream and hands over a reader of its events.
    private func follow(
        _ kilnd: ServerFixture, _ query: String = "", token: String? = nil, last: String? = nil, _ body: (EventReader) async throws -> Void
    ) async throws {
        try await RawConnection.with(port: kilnd.port) { connection in
            let resume = last.map { "Last-Event-ID: \($0)\r\n" } ?? ""
            try await connection.send(
                "GET /api/v1/events\(query) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token ?? kilnd.anna)\r\n\(resume)\r\n")
            let head = try await connection.head()
            #expect(head.status == 200)
            #expect(head.headers["content-type"] == "text/event-stream")
            try await body(EventReader(connection))
        }
    }

    @Test func `changes arrive as they happen, only one's own, and resume after the last one seen`() async throws {
        try await ServerFixture.with { kilnd in
            var seen: [String] = []
            try await follow(kilnd, "?kind=workmachine") { events in
                _ = try await kilnd.send("POST", "/api/v1/workmachines", token: "ben", body: #"{"name":"bens"}"#)
                try await kilnd.makeMachine()
                while true {
                    let event = try await events.next()
                    guard case .workmachine(let machine) = event.value else { continue }
                    #expect(machine.metadata.owner == name("anna"))
                    seen.append(event.id)
                    if machine.status.phase == .ready { break }
                }
            }
            try #require(seen.count >= 2)
            try await follow(kilnd, last: seen[0]) { events in
                let id = try await events.next().id
                #expect(id == seen[1])
            }
            try await follow(kilnd, "?after=\(seen[0])") { events in
                let id = try await events.next().id
                #expect(id == seen[1])
            }
        }
    }

    @Test func `a stream about one resource begins with its state and tells of its deletion`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let id = try await kilnd.makeWorkspace("hello").metadata.id
            try await follow(kilnd, "?resource=\(id)") { events in
                guard case .workspace(let workspace) = try await events.next().value else {
                    Issue.record("not the workspace")
                    return
                }
                #expect(workspace.status.phase == .running)
                _ = try await kilnd.send("DELETE", "/api/v1/workspaces/hello")
                var last = try await events.next()
                while last.name != "deleted" { last = try await events.next() }
                #expect(last.value == .deleted(kind: .workspace, id: id))
            }
        }
    }

    @Test func `a stream without events shows signs of life`() async throws {
        try await ServerFixture.with { kilnd in
            try await follow(kilnd) { events in
                let comment = try await events.comment()
                #expect(comment == ":")
            }
        }
    }

    @Test func `events that are gone or never were are an answer of their own`() async throws {
        try await ServerFixture.with { kilnd in
            let answer = try await kilnd.send("GET", "/api/v1/events?after=999999")
            #expect(answer.status == 410)
            #expect(answer.text.contains("events-expired"))
            #expect(try await kilnd.send("GET", "/api/v1/events?after=x").status == 400)
            #expect(try await kilnd.send("GET", "/api/v1/events?kind=x").status == 400)
        }
    }
}

/// Reads server-sent events from a chunked answer.
final class EventReader {
    struct Event {
        var id = ""
        var name = ""
        var value: ResourceEvent?
    }

    private let connection: RawConnection
    private var text = ""

    init(_ connection: RawConnection) { self.connection = connection }

    /// The next event with data.
    func next() async throws -> Event {
        while true {
            var event = Event()
            while case let line = try await line(), !line.isEmpty {
                if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { event.value = try JSONDecoder().decode(ResourceEvent.self, from: Data(line.dropFirst(6).utf8)) }
            }
            if event.value != nil { return event }
        }
    }

    func comment() async throws -> String {
        while true {
            let line = try await line()
            if line.hasPrefix(":") { return line }
        }
    }

    private func line() async throws -> String {
        while true {
            if let end = text.firstIndex(of: "\n") {
                defer { text = String(text[text.index(after: end)...]) }
                return String(text[..<end])
            }
            text += String(decoding: try await connection.chunk(), as: UTF8.self)
        }
    }
}
