import KilnModel
import NIOHTTP1
import Testing

@testable import KilnAPI
@testable import KilnCommands

@Suite("Logs", .timeLimit(.minutes(1))) struct LogTests {
    private static let lines = [
        LogLine(service: try! Name("db"), time: 1_700_000_000.25, channel: .output, text: "ready"),
        LogLine(service: try! Name("api"), time: 1_700_000_001, channel: .error, text: "no"),
    ]

    private func serve(_ exchange: TestServer.Exchange) async throws {
        if exchange.path.hasSuffix("/logs") {
            return try await exchange.answer(type: "application/x-ndjson", try Self.lines.map(Fixtures.json).joined(separator: "\n"))
        }
        var shop = Fixtures.environment()
        shop.spec.services = try ["api", "db"].map {
            Service(name: try Name($0), addressIndex: 1, image: .reference(try ImageReference("x")))
        }
        try await exchange.answer(Fixtures.json(shop))
    }

    @Test("of several services begin with aligned names, errors on standard error") func several() async throws {
        try await TestServer.run(serve) { server in
            let run = await kl("env", "logs", "shop", "--since", "10m", "--tail", "5", "--timestamps", at: server.endpoint)
            #expect(run.printed.output == "db  | 2023-11-14T22:13:20.250Z ready\n")
            #expect(run.printed.error == "api | 2023-11-14T22:13:21.000Z no\n")
            #expect(await server.seen.requests.last?.uri == "/api/v1/environments/shop/logs?since=1970-01-01T00%3A07%3A40.000000Z&tail=5")
        }
    }

    @Test("of one service are as they were printed") func one() async throws {
        try await TestServer.run(serve) { server in
            let run = await kl("env", "logs", "shop", "db", "--follow", at: server.endpoint)
            #expect(run.printed.output == "ready\n")
            #expect(await server.seen.requests.last?.uri == "/api/v1/environments/shop/logs?service=db&follow=true")
        }
    }

    @Test("as JSON are one value a line") func json() async throws {
        try await TestServer.run(serve) { server in
            let run = await kl("env", "logs", "shop", "db", "api", "--json", at: server.endpoint)
            #expect(run.printed.output.split(separator: "\n").count == 2)
            #expect(run.printed.output.hasPrefix(#"{"channel":"output","service":"db","text":"ready""#))
            #expect(await server.seen.requests.map(\.uri) == ["/api/v1/environments/shop/logs?service=db&service=api"])
        }
    }

    @Test("have a colour for each service on a terminal") func colours() throws {
        let printed = Printed()
        let plain = printed.value
        let output = Output(
            standard: .init(isTerminal: true, hasColours: true, writeBytes: plain.standard.writeBytes), error: plain.error)
        let printer = LogPrinter(output: output, json: false, timestamps: false, services: [try Name("api"), try Name("db")])
        try printer.print(Self.lines[0])
        #expect(printed.output == "\u{1B}[33mdb  | \u{1B}[0mready\n")
    }

    @Test("of several containers of a service begin with their names") func replicas() throws {
        let printed = Printed()
        var printer = LogPrinter(output: printed.value, json: false, timestamps: false, services: [try Name("api"), try Name("db")])
        printer.replicas = [try Name("api"): 12, try Name("db"): 1]
        for number in [2, 11] {
            try printer.print(LogLine(service: try Name("api"), replica: number, time: 1, channel: .output, text: "ready"))
        }
        try printer.print(LogLine(service: try Name("db"), replica: 1, time: 1, channel: .output, text: "ready"))
        #expect(printed.output == "api-2  | ready\napi-11 | ready\ndb     | ready\n")
    }

    @Test("begin where --since says", arguments: [("90s", 910 as Timestamp), ("2026-02-03T10:00:00Z", 1_770_112_800), ("2h", 0)])
    func since(text: String, time: Timestamp) throws {
        #expect(try Since(text).time(now: 1000) == time)
    }

    @Test("refuse a time that is none") func badTime() async {
        let run = await kl("env", "logs", "shop", "--since", "soon")
        #expect(run.status == 2)
        #expect(run.printed.error.contains("10m"))
    }
}
