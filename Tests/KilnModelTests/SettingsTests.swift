import Foundation
import KilnModel
import Testing

@Suite struct SettingsTests {
    private func service(_ name: String, _ variables: [String]) throws -> Service {
        try Service(
            name: Name(name), addressIndex: 1, image: .reference(ImageReference("x")), variables: variables.map { try EnvironmentVariable($0) })
    }

    @Test func aVariableOfTheWholeGoesWhereItIsDeclared() throws {
        var settings = EnvironmentSettings()
        settings.variables = ["A": "new", "C": "nowhere"]
        let changed = try settings.applied(to: [service("a", ["A=1", "B=2"]), service("b", ["B=2"])])
        #expect(changed[0].variables.map(\.description) == ["A=new", "B=2"])
        #expect(changed[1] == (try service("b", ["B=2"])))
    }

    @Test func aServicesOwnWinsAndMayBeNew() throws {
        var settings = EnvironmentSettings()
        settings.variables = ["A": "all"]
        var own = EnvironmentSettings.ServiceSettings()
        own.variables = ["A": "own", "Z": "1"]
        settings.services = [try Name("a"): own, try Name("gone"): own]
        let changed = try settings.applied(to: [service("a", ["A=1"]), service("b", ["A=1"])])
        #expect(changed[0].variables.map(\.description) == ["A=own", "Z=1"])
        #expect(changed[1].variables.map(\.description) == ["A=all"])
    }

    @Test func aVariableThatWasASecretBecomesPlain() throws {
        var secret = try service("a", [])
        secret.secretVariables = [try SecretVariable(key: "A", value: SecretTemplate(pieces: [.secret(SecretName("s"))]))]
        var settings = EnvironmentSettings()
        settings.variables = ["A": "plain"]
        let changed = try #require(try settings.applied(to: [secret]).first)
        #expect(changed.secretVariables.isEmpty && changed.variables.map(\.description) == ["A=plain"] && changed.secrets.isEmpty)
    }

    @Test func aFileTakesThePlaceOfTheOneAtItsPathHoweverThatIsWritten() throws {
        var base = try service("a", [])
        base.files = [
            FileMount(source: .text("old"), path: try ContainerPath("/etc//a.conf"), name: "conf"),
            FileMount(source: .text("b"), path: try ContainerPath("/etc/b.conf")),
        ]
        var settings = EnvironmentSettings()
        var own = EnvironmentSettings.ServiceSettings()
        own.files = [try SettingsFile(path: ContainerPath("/etc/a.conf"), text: "new", mode: 0o600)]
        settings.services = [try Name("a"): own]
        let changed = try #require(try settings.applied(to: [base]).first)
        #expect(changed.files.map(\.source) == [.text("b"), .text("new")])
        #expect(changed.files.last?.mode == 0o600 && changed.files.last?.readOnly == true)
    }

    @Test func aFileHasLimits() throws {
        let path = try ContainerPath("/a")
        #expect(throws: KilnError.self) { try SettingsFile(path: path, text: String(repeating: "a", count: (64 << 10) + 1)) }
        #expect(throws: KilnError.self) { try SettingsFile(path: path, text: "", mode: 0o10000) }
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode(SettingsFile.self, from: Data(#"{"path":"/a","text":"","mode":-1}"#.utf8))
        }
    }

    @Test func settingsSurviveJSON() throws {
        var settings = EnvironmentSettings()
        settings.variables = ["A": "1"]
        settings.secrets = [try SecretName("s")]
        var own = EnvironmentSettings.ServiceSettings()
        own.variables = ["B": "2"]
        settings.services = [try Name("a"): own]
        #expect(try JSONDecoder().decode(EnvironmentSettings.self, from: JSONEncoder().encode(settings)) == settings)
    }
}
