import Compose
import KilnModel
import Testing

@Suite struct KilnFileTests {
    @Test(
        arguments: [
            ("packages: [jq, nodejs@20, g++@latest]", ["jq", "nodejs@20", "g++"]),
            ("packages:\n  nodejs: 20\n  python3: 3.10\n  jq:\n  git: latest\n", ["nodejs@20", "python3@3.10", "jq", "git"]),
            ("packages:\n", []), ("x-team: a\npackages: [\"jq\"]", ["jq"]), ("x-only: {}", []),
        ])
    func `Packages are a list or a mapping, in the file's order`(text: String, wishes: [String]) throws {
        #expect(try KilnFile.packages(in: text).map(\.description) == wishes)
    }

    @Test(
        arguments: [
            ("packages: jq", "kiln.yaml:1:11: packages: is neither a list nor a mapping."),
            ("package: [jq]", "The key “package” means nothing here."),
            ("packages: [jq, jq@1.6]", "The package jq is named twice."), ("packages: [$(x)]", "“$(x)” is not a package name."),
            ("packages: [{jq: 1}]", "A package is written as one text."), ("packages: {jq: [1]}", "A package is written as one text."),
            ("[]", "The file is no mapping."), ("# nothing", "The file is empty."), ("packages: [", "The file is not YAML"),
            ("packages: [nodejs@../x]", "“../x” is not a version."), ("packages: [jq]\npackages: [git]", "is given twice"),
        ])
    func `What is wrong is said with its place`(text: String, message: String) throws {
        let error = try #require(throws: KilnError.self) { try KilnFile.packages(in: text) }
        #expect(error.code == .invalidKilnFile)
        #expect(error.message.contains(message), "\(error.message)")
    }

    @Test func `Everything that is wrong is said at once`() throws {
        let error = try #require(throws: KilnError.self) { try KilnFile.packages(in: "packages:\n- a b\n- jq\n- ../x\n", path: "api/kiln.yaml") }
        #expect(error.message.contains("api/kiln.yaml:2:3: ") && error.message.contains("api/kiln.yaml:4:3: "))
    }
}
