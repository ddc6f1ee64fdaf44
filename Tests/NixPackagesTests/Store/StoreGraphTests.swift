import KilnModel
import Testing

@testable import NixPackages

@Suite("What paths of the store need")
struct StoreGraphTests {
    private static func path(_ digit: Character) -> StorePath { try! StorePath("\(StorePath.store)/\(String(repeating: digit, count: 32))-\(digit)") }
    private let a = path("a"), b = path("b"), c = path("c"), d = path("d")

    private var graph: StoreGraph {
        StoreGraph(nodes: [
            a: .init(size: 1, references: [b, c]), b: .init(size: 10, references: [d]), c: .init(size: 100, references: [d]),
            d: .init(size: 1000, references: [a]),
        ])
    }

    @Test("Registrations are read as nix-store --dump-db prints them")
    func registrations() throws {
        let text = "\(a)\nsha\n120\n\n2\n\(a)\n\(b)\n\(b)\nsha\n7\n/nix/store/x.drv\n0\n"
        #expect(try StoreGraph(registrations: text).nodes == [a: .init(size: 120, references: [b]), b: .init(size: 7, references: [])])
        #expect(try StoreGraph(registrations: "").nodes == [:])
    }

    @Test(
        "Anything else is refused", arguments: ["x", "/etc/passwd\nsha\n1\n\n0\n", "\(path("a"))\nsha\nmany\n\n0\n", "\(path("a"))\nsha\n1\n\n2\n"])
    func unreadable(text: String) { #expect(throws: KilnError.self) { try StoreGraph(registrations: text) } }

    @Test("A closure counts each path once, rings included")
    func closure() {
        #expect(graph.closure(of: [b]) == [a, b, c, d])
        #expect(graph.size(ofClosure: [a, b]) == 1111)
        #expect(StoreGraph(nodes: [a: .init(size: 1, references: [b])]).closure(of: [a]) == [a], "what is not known is left out")
    }

    @Test("A chain is a shortest way")
    func chain() {
        #expect(graph.chain(from: a, to: d).map { [$0.count, $0.first == a ? 1 : 0, $0.last == d ? 1 : 0] } == [3, 1, 1])
        #expect(graph.chain(from: a, to: a) == [a])
        #expect(StoreGraph(nodes: [a: .init(size: 1, references: [])]).chain(from: a, to: b) == nil)
    }
}
