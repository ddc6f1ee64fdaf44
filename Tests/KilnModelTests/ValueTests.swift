import Foundation
import KilnModel
import Testing

/// The other validated texts, each against an expression of its own.
@Suite struct ValueTests {
    private static let alphabet =
        Array("aZ09f_.-/:@=~ \n\u{0}é^o+$\\".unicodeScalars).map(String.init) + ["..", "//", "::", "ssh://", "https://", "sha256:"]

    /// Random texts, short ones mostly, some at the limits of length.
    private func texts(seed: UInt64, _ extra: [String]) -> [String] {
        var generator = SeededGenerator(seed: seed)
        var texts = extra
        for _ in 0..<20_000 {
            let plain = Int.random(in: 0..<2, using: &generator) == 0
            let usable = plain ? Self.alphabet.prefix(8) : Self.alphabet[...]
            texts.append((0..<Int.random(in: 0...8, using: &generator)).map { _ in usable.randomElement(using: &generator)! }.joined())
        }
        return texts
    }

    private func expectAgreement<Value: ValidatedText>(
        _ type: Value.Type, _ pattern: String, seed: UInt64, _ extra: [String] = []
    ) throws {
        let expression = try NSRegularExpression(pattern: pattern)
        var accepted = 0
        for text in texts(seed: seed, extra) {
            let matches = expression.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) != nil
            var isAccepted = true
            do throws(KilnError) { #expect(try Value(text).value == text) } catch { isAccepted = false }
            if matches != isAccepted { Issue.record("\(type): “\(text.debugDescription)” is judged differently") }
            if isAccepted { accepted += 1 }
        }
        #expect(accepted > 0)
    }

    @Test func volumeNames() throws {
        let extra = [63, 64].map { String(repeating: "a", count: $0) } + ["data", "Data_1.x-y", "dаta"]
        try expectAgreement(VolumeName.self, #"\A[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}\z"#, seed: 1, extra)
    }

    @Test func contentDigests() throws {
        let extra = [63, 64, 65].map { String(repeating: "0f", count: 40).prefix($0) }.map(String.init)
        let others = [
            String(repeating: "A", count: 64), String(repeating: "g", count: 64), String(repeating: "١", count: 32),
            String(repeating: "a", count: 63) + "\n",
        ]
        try expectAgreement(ContentDigest.self, #"\A[0-9a-f]{64}\z"#, seed: 2, extra + others)
    }

    @Test func imageReferences() throws {
        let extra = [
            "postgres", "postgres:16", "localhost/kiln/workspace", "registry.example.com:5000/a/b:1.2",
            "a@sha256:" + String(repeating: "0", count: 64), "-a", "--help",
            String(repeating: "a", count: 512), String(repeating: "a", count: 513), "a b", "../a", "pоstgres",
        ]
        let pattern = #"\A(?=[\x00-\x7f]{1,512}\z)(?!.*//)(?!.*\.\.)[A-Za-z0-9]([A-Za-z0-9._/:@-]*[A-Za-z0-9])?\z"#
        try expectAgreement(ImageReference.self, pattern, seed: 3, extra)
    }

    @Test(arguments: ["https://example.com/a.git", "ssh://git@host/a", "git@host:team/a.git", "git://h/a", "http://h"])
    func gitURLsAreAccepted(_ text: String) throws { #expect(try RepositoryURL(text).value == text) }

    @Test(arguments: [
        "", "-u", "--upload-pack=x", "ext::sh -c id", "file:///etc", "/etc", "a", "https://", "git@host:", "-a@h:b", "https://a b", "https://a\n",
        "git@h::x", "ssh://é",
    ])
    func whatIsNoGitURLIsRefused(_ text: String) { #expect(throws: KilnError.self) { try RepositoryURL(text) } }

    @Test func idsAreTenCharactersOfBase32AndNeverTheSame() throws {
        var seen: Set<ResourceID> = []
        for _ in 0..<10_000 {
            let id = ResourceID.random()
            #expect(try ResourceID(id.value) == id)
            #expect(seen.insert(id).inserted)
        }
        for text in ["", "0123456789a", "012345678", "012345678i", "012345678L", "ABCDEFGHJK", "../../../x", "01234567é", "012345678\n"] {
            #expect(throws: KilnError.self) { try ResourceID(text) }
        }
    }

    @Test(arguments: [("A=1", "A", "1"), ("_a9=", "_a9", ""), ("A==b=\n", "A", "=b=\n"), ("A=é", "A", "é")])
    func variablesAreSplitAtTheFirstEqualsSign(_ text: String, _ key: String, _ value: String) throws {
        let variable = try EnvironmentVariable(text)
        #expect(variable.key == key)
        #expect(variable.value == value)
        #expect(try JSONDecoder().decode([EnvironmentVariable].self, from: JSONEncoder().encode([variable])) == [variable])
    }

    @Test(arguments: ["", "=", "=1", "A", "1A=1", "A B=1", ".b=1", "-b=1", "é=1", "A\n=1", "A=\u{0}", " A=1"])
    func whatIsNoVariableIsRefused(_ text: String) { #expect(throws: KilnError.self) { try EnvironmentVariable(text) } }

    @Test func addressesAreReadAsTheyAreWritten() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<10_000 {
            let address = IPv4Address(bits: UInt32.random(in: 0...UInt32.max, using: &generator))
            #expect(IPv4Address(address.description) == address)
        }
        for text in [
            "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.-4", "1.2.3.+4", " 1.2.3.4", "1.2.3.4\n", "0x1.2.3.4", "1..2.3", "١.2.3.4",
            "::1",
        ] {
            #expect(IPv4Address(text) == nil)
        }
    }
}
