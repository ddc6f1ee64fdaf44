import Foundation
import KilnModel
import Testing

/// Names against the expression that defines them, as another program reads it.
@Suite struct NameTests {
    private let label: NSRegularExpression

    init() throws {
        // \z, not $, which would let a line break follow.
        label = try NSRegularExpression(pattern: #"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z"#)
    }

    private func matches(_ text: String) -> Bool { label.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) != nil }

    private func accepts(_ text: String) -> Bool {
        do {
            let name = try Name(text)
            return Array(name.value.utf8) == Array(text.utf8)
        } catch {
            #expect(error.code == .invalidName)
            #expect(error.hint != nil)
            #expect(
                error.description.unicodeScalars.allSatisfy {
                    $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && !(0x202A...0x202E).contains($0.value)
                })
            return false
        }
    }

    @Test(arguments: [
        "a", "0", "a-b", "a--b", "9-9", "postgres", "xn--80ak6aa92e", String(repeating: "a", count: 63),
        "a" + String(repeating: "-", count: 61) + "b",
    ])
    func aLabelIsAccepted(_ text: String) {
        #expect(matches(text))
        #expect(accepts(text))
    }

    @Test(arguments: [
        "", " ", "-", "-a", "a-", "--", "A", "aB", "a_b", "a.b", "a b", " a", "a ", "a\n", "\na", "a\r\n", "a\u{0}", "\u{0}", "../x", "..", ".",
        "a/b", "/", "a;b", "a|b", "$(id)", "`id`",
        "a&b", "a*", "~", "%2e", "a\\b", "'a'", "\"a\"", "@self", String(repeating: "a", count: 64), String(repeating: "a", count: 100_000),
        // Look-alikes: Cyrillic о and а, Greek ο, fullwidth, mathematical, ligature, Arabic digits, dashes, soft hyphen, invisible and combining characters.
        "pоstgres", "аpi", "pοstgres", "ａpi", "𝐚pi", "ﬁle", "a١", "a‐b", "a–b", "a−b", "a\u{AD}b", "a\u{200B}b", "a\u{200D}b", "\u{FEFF}a",
        "a\u{301}", "á", "ß", "ı", "K", "a\u{202E}b",
        "日本", "🦊",
    ])
    func anythingElseIsRefused(_ text: String) {
        #expect(!matches(text))
        #expect(!accepts(text))
    }

    @Test(arguments: [
        ("My_Api", "my-api"), ("_a__b_", "a--b"), ("web.1", "web-1"), ("A", "a"), ("", nil), ("__", nil), ("é", nil), ("a\n", nil),
        (String(repeating: "A", count: 64), nil),
    ])
    func whatIsNoNameMayComeNearOne(_ text: String, _ name: String?) {
        #expect(Name.nearest(to: text)?.value == name)
        do {
            _ = try Name(text)
            Issue.record("“\(text)” is a name")
        } catch {
            #expect(error.hint?.contains("Call it") == (name != nil))
        }
    }

    @Test func everyCharacterIsJudgedAsTheExpressionDoes() {
        for value in (0...0x2FFF).map(UInt32.init) + Array(0xFE00...0xFFFF) + Array(0x1D400...0x1D7FF) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for text in [String(scalar), "a\(scalar)", "\(scalar)a", "a\(scalar)a"] where accepts(text) != matches(text) {
                Issue.record("U+\(String(value, radix: 16)) in “\(text)” is judged differently")
            }
        }
    }

    @Test func everyShortTextIsJudgedAsTheExpressionDoes() {
        let alphabet = ["a", "z", "0", "9", "-", "A", "_", ".", "/", " ", "\n", "\r", "\u{0}", "é", "\u{301}", "о"]
        var texts = [""]
        for _ in 0..<4 {
            texts = texts.flatMap { text in alphabet.map { text + $0 } }
            for text in texts where accepts(text) != matches(text) { Issue.record("“\(text.debugDescription)” is judged differently") }
        }
    }

    @Test func longTextsAreJudgedAsTheExpressionDoes() {
        var generator = SeededGenerator(seed: 1)
        let alphabet = Array("abcxyz0189----------é_A".unicodeScalars)
        var accepted = 0
        for _ in 0..<20_000 {
            // Mostly letters, so that many are right but for their length or ends.
            let usable = alphabet.prefix(Int.random(in: 0..<4, using: &generator) == 0 ? alphabet.count : alphabet.count - 3)
            let text = String(
                String.UnicodeScalarView((0..<Int.random(in: 55...68, using: &generator)).map { _ in usable.randomElement(using: &generator)! }))
            if accepts(text) != matches(text) { Issue.record("“\(text)” is judged differently") }
            if accepts(text) { accepted += 1 }
        }
        #expect((1000..<19_000).contains(accepted))
    }

    @Test func aNameIsAStringInJSONAndIsCheckedThere() throws {
        #expect(try String(decoding: JSONEncoder().encode([Name("a-b")]), as: UTF8.self) == "[\"a-b\"]")
        #expect(try JSONDecoder().decode([Name].self, from: Data("[\"a\"]".utf8)) == [Name("a")])
        for text in ["[\"../x\"]", "[\"\"]", "[\"p\\u043estgres\"]", "[1]", "[null]"] {
            #expect(throws: (any Error).self) { try JSONDecoder().decode([Name].self, from: Data(text.utf8)) }
        }
        #expect(throws: (any Error).self) { try JSONDecoder().decode([Name: Int].self, from: Data("{\"A\": 1}".utf8)) }
    }

    @Test func aQualifiedNameHasAtMostOneOwner() throws {
        #expect(try QualifiedName("shop") == QualifiedName(name: Name("shop")))
        #expect(try QualifiedName("ann/shop") == QualifiedName(owner: Name("ann"), name: Name("shop")))
        for text in ["", "/", "a/", "/a", "a/b/c", "a//b", "A/b", "a/B", "../a", "a b/c"] {
            #expect(throws: KilnError.self) { try QualifiedName(text) }
        }
    }
}
