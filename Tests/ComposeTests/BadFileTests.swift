import Compose
import KilnModel
import Testing

@Suite struct BadFileTests {
    @Test(arguments: BadFile.files + BadFile.services + BadFile.keys)
    func aBadFileIsRefusedWithThePlaceAndTheReason(_ file: BadFile) {
        let found = findings(file.text)
        #expect(found.count == file.expected.count, "\(found.map(\.description))")
        for (finding, expected) in zip(found, file.expected) {
            let parts = expected.split(separator: " ", maxSplits: 1).map(String.init)
            #expect("\(finding.line):\(finding.column)" == parts[0], "\(finding)")
            #expect(finding.description.contains(parts[1]), "\(finding)")
        }
    }

    @Test func allFindingsAreReportedInTheOrderOfTheFile() throws {
        let text = "services:\n  a:\n    privileged: true\n    ports: [0]\n  b: {image: 'x y'}\nmodels: {}\n"
        let found = findings(text)
        #expect(found.map { "\($0.line):\($0.column)" } == ["2:3", "3:5", "4:13", "5:14", "6:1"])
    }

    @Test func aFindingBecomesAnErrorForPeople() throws {
        let error = try #require(throws: ComposeError.self) {
            _ = try read(web("imgae: x"), file: "shop/compose.yaml")
        }
        #expect(error.kilnError.code == .invalidCompose)
        #expect(error.kilnError.message == "shop/compose.yaml:4:5: “imgae” in service “web” is not a key that Compose knows.")
        #expect(error.kilnError.hint == "Did you mean “image”?")
    }

    @Test func severalFindingsBecomeOneErrorWithALineEach() throws {
        let error = try #require(throws: ComposeError.self) { _ = try read(web("imgae: x\nrestart: never")) }
        let lines = error.kilnError.message.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.hasPrefix("compose.yaml:") })
        #expect(lines[0].hasSuffix("Did you mean “image”?"))
    }

    @Test func aMistakeBehindAnAnchorIsReportedOnce() {
        let text = "x-env: &env\n  a b: 1\nservices:\n  a: {image: a, environment: *env}\n  b: {image: b, environment: *env}\n"
        #expect(findings(text).map { "\($0.line):\($0.column)" } == ["2:3"])
    }

    @Test func hostileTextIsNotPrintedAsItIs() {
        let found = findings("services:\n  \"\\e[31mred\": {image: a}\n  \"a\\u202Eb\": {image: a}\n")
        #expect(found.count == 2)
        #expect(found.allSatisfy { !$0.description.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" } })
    }
}
