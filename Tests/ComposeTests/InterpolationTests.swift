import Compose
import KilnModel
import Testing

@Suite struct InterpolationTests {
    private static let variables = ["SET": "value", "EMPTY": "", "B": "b", "DOLLAR": "$SET"]

    private func value(_ template: String) throws -> String? {
        try webService("environment:\n  KEY: '\(template)'", variables: Self.variables).variables.first?.value
    }

    @Test(arguments: [
        ("$SET", "value"), ("${SET}", "value"), ("a$SET.b", "avalue.b"), ("a${SET}b", "avalueb"), ("$SET$B", "valueb"), ("$UNSET", ""),
        ("${UNSET}x", "x"),
        ("$$SET", "$SET"), ("$$$SET", "$value"), ("$$", "$"), ("a$$b$$", "a$b$"), ("${SET:-d}", "value"), ("${EMPTY:-d}", "d"), ("${UNSET:-d}", "d"),
        ("${SET-d}", "value"), ("${EMPTY-d}", ""), ("${UNSET-d}", "d"), ("${SET:+x}", "x"), ("${EMPTY:+x}", ""), ("${UNSET:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${UNSET+x}", ""), ("${SET?e}", "value"), ("${EMPTY?e}", ""), ("${SET:?e}", "value"), ("${UNSET:-}", ""), ("${UNSET:-a:-b}", "a:-b"),
        ("${UNSET:-${B}}", "b"), ("${UNSET:-${UNSET2:-${B:-c}}}", "b"), ("${UNSET:-$UNSET2}", ""), ("${UNSET:-a${B}c}d", "abcd"),
        ("${SET:-${UNSET:?no}}", "value"),
        ("${UNSET:-{\"a\": {}}}", "{\"a\": {}}"), ("${UNSET:-$$}", "$"), ("$DOLLAR", "$SET"), ("${SET:+${B:+$SET}}", "value"),
        ("größe $SET", "größe value"),
    ])
    func aTemplateIsFilledIn(_ template: String, _ expected: String) throws {
        #expect(try value(template) == expected)
    }

    @Test(arguments: [
        "$", "a$", "$1", "$-", "${}", "${1}", "${SET", "${SET:-${B}", "${-a}", "${SET:}", "${SET:x}", "${SET!}", "${ SET}", "${UNSET:?}",
        "${EMPTY:?}", "${UNSET?}",
    ])
    func aWrongTemplateIsRefused(_ template: String) {
        let found = findings(web("environment:\n  KEY: '\(template)'"), variables: Self.variables)
        #expect(found.map { "\($0.line):\($0.column)" } == ["5:12"])
    }

    @Test func everyVariableIsReportedAlsoWhereItIsNotUsed() throws {
        let project = try read(web("command: $A ${B:-${C}} ${D:+$E} ${F-g}\nenvironment: [G, H=$$I]"), variables: ["B": "b"])
        #expect(project.referencedVariables == ["A", "B", "C", "D", "E", "F", "G"])
        #expect(project.warnings.map(\.message) == ["The variable A is not set; it counts as empty."])
    }

    @Test func keysAndServicesAreNotFilledIn() {
        #expect(findings("services:\n  $SET: {image: a}\n", variables: Self.variables).map(\.line) == [2])
        #expect(findings(web("environment:\n  $SET: a"), variables: Self.variables).map(\.line) == [5])
    }

    @Test func allScalarValuesAreFilledIn() throws {
        let text = """
            services:
              a:
                image: postgres:${TAG}
                ports: ["${PORT}:$PORT"]
                restart: $RESTART
                healthcheck: {test: [CMD, "$PORT"], interval: $TIME, retries: "$COUNT"}
                volumes: ["$VOLUME:/data"]
                depends_on: {b: {condition: $CONDITION}}
              b: {build: {context: $DIR, dockerfile: D$TAG}}
            volumes: {data: }
            """
        let variables = [
            "TAG": "16", "PORT": "80", "RESTART": "always", "TIME": "2s", "COUNT": "4", "VOLUME": "data", "CONDITION": "service_healthy",
            "DIR": "./b",
        ]
        let list = try services(text, variables: variables)
        #expect(try list[0].image == .reference(ImageReference("postgres:16")))
        #expect(list[0].ports.map(\.number) == [80])
        #expect(list[0].restart == .always)
        #expect(list[0].healthcheck == .init(command: ["80"], interval: 2, retries: 4))
        #expect(list[0].dependencies.map(\.condition) == [.healthy])
        #expect(try read(text, variables: variables).contexts == ["./b"])
    }
}
