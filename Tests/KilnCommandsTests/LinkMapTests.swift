import Testing

@testable import KilnCommands

@Suite("Links of a build context") struct LinkMapTests {
    private func links(_ targets: [String: String]) -> LinkMap {
        LinkMap(targets.map { ContextTree.Item(path: $0.key, mode: 0o777, kind: .link(target: $0.value)) })
    }

    @Test("that stay inside are taken", arguments: ["b", "./b", "d/../b", "../c/x", "../c/../a/b"])
    func inside(target: String) {
        #expect(links(["a/l": target]).staysInside("a/l"))
    }

    @Test("that leave are refused", arguments: ["/etc/passwd", "../..", "../../x", "b/../../../x", "../c/../../x"])
    func outside(target: String) {
        #expect(!links(["a/l": target]).staysInside("a/l"))
    }

    @Test("are followed through other links, as the kernel does") func chained() {
        // a/b/s is the root, so one step up from it leaves, though the text alone looks harmless.
        #expect(!links(["a/b/s": "../..", "t": "a/b/s/../x"]).staysInside("t"))
        #expect(links(["a/b/s": "../..", "t": "a/b/s/x"]).staysInside("t"))
        #expect(!links(["one": "two", "two": "one"]).staysInside("one"))
    }
}
