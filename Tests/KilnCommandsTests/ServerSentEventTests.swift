import Testing

@testable import KilnAPI

@Suite("Server-sent events") struct ServerSentEventTests {
    private let stream = Array(": hello\n\nid: 7\nevent: changed\ndata: {\"a\":1}\n\ndata: one\r\ndata:two\r\n\r\nevent: deleted\n\ndata: x".utf8)
    private let expected = [
        ServerSentEvent(id: "7", event: "changed", data: "{\"a\":1}"), ServerSentEvent(id: "7", event: nil, data: "one\ntwo"),
    ]

    @Test("are the same however the bytes are cut") func cutAnywhere() {
        for size in 1...stream.count {
            var parser = ServerSentEventParser()
            var events: [ServerSentEvent] = []
            var rest = stream[...]
            while !rest.isEmpty {
                events += parser.append(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            #expect(events == expected, "pieces of \(size)")
        }
    }

    @Test("lines keep what follows the last line end") func remainder() {
        var splitter = LineSplitter()
        #expect(splitter.append(Array("a\r\nb\n\nc".utf8)) == ["a", "b", ""])
        #expect(splitter.remainder == "c")
    }
}
