import Testing

@testable import KilnCommands

@Suite("Tables") struct TableTests {
    private let table = Table(header: ["NAME", "PHASE"], rows: [["a-long-name", Table.Cell("Running", .good)], ["b", "-"]])

    @Test("are aligned, with nothing after the last column") func aligned() {
        #expect(table.rendered(colours: false) == "NAME         PHASE\na-long-name  Running\nb            -\n")
    }

    @Test("are aligned in colour too") func coloured() {
        let text = table.rendered(colours: true)
        #expect(text.contains("\u{1B}[32mRunning\u{1B}[0m"))
        #expect(text.replacing(/\u{1B}\[[0-9]+m/, with: "") == table.rendered(colours: false))
    }
}
