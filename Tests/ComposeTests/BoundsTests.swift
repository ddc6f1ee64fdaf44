import Compose
import Testing

/// A file may be hostile: whatever it holds, reading ends soon.
@Suite struct BoundsTests {
    private func refusal(of text: String, variables: [String: String] = [:]) -> String {
        let clock = ContinuousClock()
        var found: [ComposeFinding] = []
        let time = clock.measure { found = findings(text, variables: variables) }
        // Generous, as the machine may be busy; without bounds these take minutes or all memory.
        #expect(time < .seconds(30))
        #expect(found.allSatisfy { $0.line >= 1 && $0.column >= 1 })
        return found.first?.description ?? ""
    }

    @Test func aTooLongFileIsRefused() {
        #expect(refusal(of: "#" + String(repeating: "x", count: ComposeFile.maximumSize)).contains("1:1: The file has 262145 bytes"))
        #expect(findings("services: {a: {image: a}}\n#" + String(repeating: "x", count: ComposeFile.maximumSize - 27)).isEmpty)
    }

    private func aliasBomb(top: String) -> String {
        var text = "x-0: &x0 [a, b, c, d, e, f, g, h, i]\n"
        for level in 1...9 { text += "x-\(level): &x\(level) [\(Array(repeating: "*x\(level - 1)", count: 9).joined(separator: ", "))]\n" }
        return text + top
    }

    @Test func aliasesOfAliasesAreBounded() {
        #expect(refusal(of: aliasBomb(top: "services: {a: {image: a}}")).contains("more than 100000 values"))
    }

    @Test func aliasesOfAliasesAsKeysAreBounded() {
        #expect(refusal(of: "? *x9\n: b\n" + aliasBomb(top: "")).contains("names no anchor"))
        #expect(!refusal(of: aliasBomb(top: "? *x9\n: b\n? *x8\n: c\n")).isEmpty)
        #expect(!refusal(of: aliasBomb(top: "*x9 : b\n{*x8}: c\n")).isEmpty)
    }

    @Test func mergesOfMergesAreBounded() {
        var text = "x-0: &x0 {" + (0..<5000).map { "k\($0): v" }.joined(separator: ", ") + "}\n"
        for level in 1...2000 { text += "x-\(level): &x\(level) {<<: *x\(level - 1)}\n" }
        #expect(refusal(of: text).contains("more than 100000 values"))
    }

    @Test(arguments: ["[", "{a: ", "- ", "? ", "a:\n ", "&a [", "!!seq [", "[[{a: "])
    func deepNestingIsRefused(_ opening: String) {
        for count in [70, 1500, 40_000] where count * opening.utf8.count < ComposeFile.maximumSize {
            #expect(!refusal(of: String(repeating: opening, count: count)).isEmpty)
        }
        #expect(!refusal(of: "services: " + String(repeating: "[", count: 500) + String(repeating: "]", count: 500)).isEmpty)
    }

    @Test func nestingBehindAliasesIsCountedToo() {
        var text = "x-0: &x0 [a]\n"
        for level in 1...400 { text += "x-\(level): &x\(level) [[[[[[[[[[*x\(level - 1)]]]]]]]]]]\n" }
        _ = refusal(of: text + "services: {a: {image: *x400}}")
    }

    @Test func variablesCannotBlowUpAFile() {
        let text = web("environment:\n  A: " + String(repeating: "$BIG", count: 2000))
        #expect(refusal(of: text, variables: ["BIG": String(repeating: "x", count: 100_000)]).contains("too long"))
        let spread = web("environment:\n" + (0..<2000).map { "  A\($0): $BIG" }.joined(separator: "\n"))
        #expect(refusal(of: spread, variables: ["BIG": String(repeating: "x", count: 100_000)]).contains("too long"))
        let nested = web("command: " + String(repeating: "${A:-", count: 1000) + String(repeating: "}", count: 1000))
        #expect(refusal(of: nested).contains("nested more than"))
    }

    @Test func manyMistakesAreListedInPart() throws {
        let text = web((0..<5000).map { "key\($0): 1" }.joined(separator: "\n"))
        let error = try #require(throws: ComposeError.self) { _ = try read(text) }
        #expect(error.kilnError.message.split(separator: "\n").count == 51)
        #expect(error.kilnError.message.hasSuffix("more."))
    }

    @Test func aDenseGraphOfDependenciesIsReadSoon() {
        let all = (0..<300).map { "s\($0)" }
        let text = "x-all: &all [\(all.joined(separator: ", "))]\nservices:\n" + all.map { "  \($0): {image: a, depends_on: *all}\n" }.joined()
        #expect(refusal(of: text).contains("circle: s0 → s0"))
    }
}
