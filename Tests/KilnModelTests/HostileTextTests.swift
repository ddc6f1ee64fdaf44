import Foundation
import KilnModel
import Testing

/// Every type that is parsed from a text, against texts that nobody means well with: it never ends the process, takes a text as it is or not at all,
/// takes what it gave, says why in words that are safe to print, and judges in JSON as it does elsewhere.
@Suite struct HostileTextTests {
    /// A type and how its rules may be asked.
    struct Subject: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The text of the value that was made.
        let parse: @Sendable (String) throws -> String
        /// The same through JSON; nil where a value is no text there.
        let decode: (@Sendable (Data) throws -> String)?
        /// Whether the value must be the text as it was given.
        var isVerbatim = true
    }

    private static func text<Text: ValidatedText>(_ type: Text.Type, isVerbatim: Bool = true) -> Subject {
        Subject(
            testDescription: "\(type)", parse: { try Text($0).value }, decode: { try JSONDecoder().decode([Text].self, from: $0)[0].value },
            isVerbatim: isVerbatim)
    }

    static let subjects: [Subject] = [
        Subject(testDescription: "Name", parse: { try Name($0).value }, decode: { try JSONDecoder().decode([Name].self, from: $0)[0].value }),
        Subject(
            testDescription: "ResourceID", parse: { try ResourceID($0).value },
            decode: { try JSONDecoder().decode([ResourceID].self, from: $0)[0].value }),
        Subject(testDescription: "QualifiedName", parse: { try QualifiedName($0).description }, decode: nil),
        text(ImageReference.self), text(VolumeName.self), text(ContentDigest.self), text(RepositoryURL.self), text(SecretName.self),
        text(ContainerPath.self), text(UserReference.self), text(HostName.self), text(HostAddress.self), text(PortName.self),
        text(Capability.self, isVerbatim: false), text(GrantableCapability.self, isVerbatim: false),
        Subject(
            testDescription: "EnvironmentVariable", parse: { try EnvironmentVariable($0).description },
            decode: { try JSONDecoder().decode([EnvironmentVariable].self, from: $0)[0].description }),
        Subject(testDescription: "StopSignal", parse: { try StopSignal($0).description }, decode: nil, isVerbatim: false),
        Subject(
            testDescription: "IPv4Address",
            parse: { text in
                guard let address = IPv4Address(text) else { throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is no address.") }
                return address.description
            }, decode: { try JSONDecoder().decode([IPv4Address].self, from: $0)[0].description }),
    ]

    /// What breaks parsers, shells, paths, terminals and databases, and what is nearly right.
    private static let pieces = [
        "a", "b", "0", "-", ".", "..", "/", ":", "@", "=", "_", "+", "A", " ", "\t", "\n", "\r", "\u{0}", "\u{7f}", "\u{1b}[2J", ";", "|", "&",
        "$(id)", "`id`",
        "'", "\"", "\\", "%00", "%2e", "*", "?", "~", "{", "}", "<", ">", "é", "ё", "а", "ﬁ", "日", "🦊", "\u{301}", "\u{200b}", "\u{202e}", "\u{feff}",
        "\u{ad}",
        "SIG", "RTMIN+", "CAP_", "https://", "git@", "ssh://", "-oProxyCommand=x", "ext::sh", "127.0.0.1", "::1", "0x7f", "999", "65536", "sha256:",
        String(repeating: "a", count: 63), String(repeating: "f", count: 64), String(repeating: "a", count: 300),
    ]

    private static func hostile(_ generator: inout SeededGenerator) -> String {
        (0..<Int.random(in: 0...6, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    }

    /// Neither control characters nor invisible ones nor those that turn the line around.
    private func isSafe(_ text: String) -> Bool {
        text.utf8.count < 2000
            && text.unicodeScalars.allSatisfy { scalar in
                let value = scalar.value
                return value >= 0x20 && !(0x7f...0x9f).contains(value) && !(0x200b...0x200f).contains(value) && !(0x202a...0x202e).contains(value)
            }
    }

    @Test(arguments: subjects) func hostileTextsAreJudgedTheSameEverywhere(_ subject: Subject) throws {
        var generator = SeededGenerator(seed: 20_261_126)
        var accepted = 0
        for _ in 0..<4000 {
            let text = Self.hostile(&generator)
            let json = try JSONEncoder().encode([text])
            do {
                let value = try subject.parse(text)
                accepted += 1
                if subject.isVerbatim { #expect(Array(value.utf8) == Array(text.utf8)) }
                #expect(!value.utf8.contains(0))
                #expect(try subject.parse(value) == value)
                if let decode = subject.decode { #expect(try decode(json) == value) }
            } catch let error as KilnError {
                #expect(isSafe(error.description), "\(text.debugDescription)")
                if let decode = subject.decode { #expect(throws: (any Error).self) { try decode(json) } }
            }
        }
        #expect(accepted < 4000)
    }
}
