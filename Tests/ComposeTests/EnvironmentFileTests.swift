import Compose
import KilnModel
import Testing

@Suite struct EnvironmentFileTests {
    private func read(_ text: String, variables: [String: String] = [:]) throws -> [String] {
        try EnvironmentFile.read(text: text, file: ".env", variables: variables).map(\.description)
    }

    @Test(arguments: [
        ("A=1", ["A=1"]), ("A=1\nB=2\n", ["A=1", "B=2"]), ("A=1\r\nB=2\r\n", ["A=1", "B=2"]), ("\n\n  A = 1 \n", ["A=1"]),
        ("# c\nA=1 # c\nB=x#y\n#", ["A=1", "B=x#y"]),
        ("export A=1", ["A=1"]), ("export\tA=1", ["A=1"]), ("export=1", ["export=1"]), ("A=", ["A="]), ("A=# c", ["A="]), ("A=b c", ["A=b c"]),
        ("A=b=c", ["A=b=c"]),
        ("A='b # c' # d", ["A=b # c"]), ("A='$X\\n'", ["A=$X\\n"]), ("A='it\\'s'", ["A=it's"]), ("A=\"b\\tc\\n\"", ["A=b\tc\n"]),
        ("A=\"\\\"b\\\\\"", ["A=\"b\\"]),
        ("A=\"x\ny\"\nB=1", ["A=x\ny", "B=1"]), ("A='x\ny'", ["A=x\ny"]), ("A=\"$X ${X} \\$X $$X\"", ["A=x x $X $X"]), ("A=$X-${Y:-d}", ["A=x-d"]),
        ("A=1\nB=$A${C:-}", ["A=1", "B=1"]), ("A=1\nA=2", ["A=2"]), ("X", ["X=x"]), ("Y\nA=1", ["A=1"]), ("\u{FEFF}A=1", ["A=1"]),
        ("X=own\nA=$X", ["X=own", "A=x"]),
        ("A=it's", ["A=it's"]), ("", []), ("a.b-c=1", ["a.b-c=1"]),
    ])
    func aFileIsRead(_ text: String, _ expected: [String]) throws {
        #expect(try read(text, variables: ["X": "x"]) == expected)
    }

    @Test(arguments: [
        ("A=1\n=2", "2:1"), ("A=1\n1A=2", "2:1"), ("a b", "1:1"), ("A: b", "1:1"), ("A='b", "1:3"), ("A=1\nB=\"b\n", "2:3"), ("A='b'c", "1:6"),
        ("A=$", "1:3"), ("A=${X", "1:3"),
        (".b=1", "1:1"), ("größe=1", "1:1"), ("A=\"${X:?no}\"", "1:3"), ("\u{1}=2", "1:1"),
    ])
    func aWrongLineIsRefusedWithItsPlace(_ text: String, _ place: String) throws {
        let error = try #require(throws: ComposeError.self) { _ = try read(text) }
        #expect(error.findings.map { "\($0.file):\($0.line):\($0.column)" } == [".env:\(place)"], "\(error)")
    }

    @Test func allWrongLinesAreReported() throws {
        let error = try #require(throws: ComposeError.self) { _ = try read("a b\nA=1\n=\nB='\n") }
        #expect(error.findings.map(\.line) == [1, 3, 4])
    }

    @Test func theVariablesAFileNeedsAreKnownBeforehand() {
        #expect(EnvironmentFile.referencedVariables(text: "A=$X\nB='$Y'\nC=$A\nD=\"${Z:-$W}\"\nV\nwrong line\nU=$T") == ["X", "Z", "W", "V", "T"])
    }

    @Test func aServiceTakesItsFilesInOrderAndItsOwnVariablesLast() throws {
        let body = "env_file:\n  - base.env\n  - {path: local.env, required: false}\n  - {path: none.env, required: false}\nenvironment: {C: own}"
        let files = ["base.env": "A=base\nB=base\nC=base", "local.env": "B=local-$A\nD=$OUT"]
        let service = try webService(body, variables: ["OUT": "out"], environmentFiles: files)
        #expect(service.variables.map(\.description) == ["A=base", "B=local-base", "C=own", "D=out"])
        let needs = try ComposeTests.read(web(body)).needs.map { "\($0.path) \($0.required)" }
        #expect(needs == ["base.env true", "local.env false", "none.env false"])
    }

    @Test func aRequiredFileThatIsAbsentIsRefusedWhereItIsNamed() throws {
        let error = try #require(throws: ComposeError.self) { _ = try webService("env_file:\n  - a.env") }
        #expect(error.findings.map { "\($0.line):\($0.column)" } == ["5:9"])
        #expect(error.kilnError.message.contains("“a.env” does not exist"))
    }

    @Test func aWrongFileIsNamedInTheError() throws {
        let error = try #require(throws: ComposeError.self) { _ = try webService("env_file: a.env", environmentFiles: ["a.env": "A=1\nb c"]) }
        #expect(error.findings.map { "\($0.file):\($0.line)" } == ["a.env:2"])
    }
}
