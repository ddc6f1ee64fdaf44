import Compose
import KilnModel
import Testing

@Suite struct GoodFileTests {
    @Test func aServiceNeedsAnImageOnly() throws {
        let service = try #require(try services("services: {db: {image: 'postgres:16'}}").first)
        #expect(try service == Service(name: Name("db"), addressIndex: 1, image: .reference(ImageReference("postgres:16"))))
    }

    @Test func buildIsAPathOrAMap() throws {
        let text = """
            services:
              a:
                build: ./a
              b:
                build:
                  context: .
                  dockerfile: docker/Dockerfile.dev
                  target: dev
                  args:
                    VERSION: 1.10
                    FROM_OUTSIDE:
              c:
                build: {context: ./a, args: ["X=1=2", FROM_OUTSIDE, UNSET]}
            """
        let project = try read(text, variables: ["FROM_OUTSIDE": "yes"])
        #expect(project.contexts == ["./a", "."])
        #expect(project.referencedVariables == ["FROM_OUTSIDE", "UNSET"])
        let (first, second) = (try ContentDigest(String(repeating: "1", count: 64)), try ContentDigest(String(repeating: "2", count: 64)))
        let images = try project.services(contexts: ["./a": first, ".": second], keeping: []).map(\.image)
        #expect(images[0] == .build(ImageBuild(context: first)))
        // 1.10 stays as written; as a number it would lose its zero.
        let arguments = [try EnvironmentVariable("VERSION=1.10"), try EnvironmentVariable("FROM_OUTSIDE=yes")]
        #expect(images[1] == .build(ImageBuild(context: second, containerfile: "docker/Dockerfile.dev", arguments: arguments, target: "dev")))
        #expect(
            try images[2] == .build(ImageBuild(context: first, arguments: [EnvironmentVariable("X=1=2"), EnvironmentVariable("FROM_OUTSIDE=yes")]))
        )
    }

    @Test(arguments: [
        ("command: redis-server --save ''", ["redis-server", "--save", ""]),
        ("command: sh -c \"echo a\" b\\ c", ["sh", "-c", "echo a", "b c"]),
        ("command: >\n  sh\n  -c 'echo \"a  b\"; ls'", ["sh", "-c", "echo \"a  b\"; ls"]),
        ("command: [echo, 1, true, \"a b\"]", ["echo", "1", "true", "a b"]),
        ("command: []", []),
        ("command: ''", []),
    ])
    func commandIsSplitIntoWords(_ yaml: String, _ words: [String]) throws {
        #expect(try webService(yaml).command == words)
        #expect(try webService(yaml.replacing("command", with: "entrypoint")).entrypoint == words)
    }

    @Test func commandIsTheImagesOwnWhenLeftOutOrNull() throws {
        #expect(try webService("command:").command == nil)
        #expect(try webService("restart: always").entrypoint == nil)
    }

    @Test(arguments: [
        "environment: {A: 1, B: x y, C: '', D: }", "environment: [A=1, B=x y, C=, D]",
        "environment:\n  <<: *base\n  B: x y\n  C: ''\n  D:",
    ])
    func environmentIsAMapOrAList(_ yaml: String) throws {
        let service = try webService(yaml.replacing("*base", with: "{A: 1, B: overridden}"), variables: ["D": "outside"])
        #expect(Set(service.variables.map(\.description)) == ["A=1", "B=x y", "C=", "D=outside"])
        #expect(!(try webService(yaml.replacing("*base", with: "{A: 1}")).variables.map(\.key).contains("D")))
    }

    @Test(arguments: [
        ("ports: [8080]", ["8080/tcp"]), ("ports: ['8080']", ["8080/tcp"]), ("ports: ['80:8080']", ["8080/tcp"]),
        ("ports: [22:22]", ["22/tcp"]), ("ports: ['127.0.0.1:80:8080']", ["8080/tcp"]), ("ports: ['127.0.0.1::8080']", ["8080/tcp"]),
        ("ports: ['[::1]:80:8080']", ["8080/tcp"]), ("ports: ['53:53/udp', '53:53']", ["53/udp", "53/tcp"]),
        ("ports: ['3000-3002']", ["3000/tcp", "3001/tcp", "3002/tcp"]), ("ports: ['9000-9001:80-81']", ["80/tcp", "81/tcp"]),
        ("ports: ['9000-9005:80']", ["80/tcp"]),
        ("ports: [{target: 80, published: '8000-8010', host_ip: '::', protocol: udp, mode: host}]", ["80/udp"]),
        ("expose: [80, '81/udp', 90-91]", ["80/tcp", "81/udp", "90/tcp", "91/tcp"]), ("ports: [80]\nexpose: [80, 81]", ["80/tcp", "81/tcp"]),
        ("ports:", []),
    ])
    func thePortsOfTheContainersSideCount(_ yaml: String, _ ports: [String]) throws {
        #expect(try webService(yaml).ports.map(\.description) == ports)
    }

    @Test func volumesAreNamedOnes() throws {
        let yaml = """
            volumes:
              - data:/var/lib/data
              - data:/backup:ro
              - {type: volume, source: other, target: /other, read_only: true}
            """
        let service = try webService(yaml, top: "volumes:\n  data:\n  other: {}")
        let (data, other) = (try VolumeName("data"), try VolumeName("other"))
        #expect(
            service.volumes == [
                .init(volume: data, path: "/var/lib/data"), .init(volume: data, path: "/backup", readOnly: true),
                .init(volume: other, path: "/other", readOnly: true),
            ]
        )
    }

    @Test func dependenciesAreAListOrAMap() throws {
        let text = """
            services:
              a: {image: a, depends_on: [b, c]}
              b:
                image: b
                depends_on:
                  c: {condition: service_healthy, required: true, restart: false}
                  d: {condition: service_completed_successfully}
              c: {image: c}
              d: {image: d, depends_on: {c: {}}}
            """
        let list = try services(text).map { $0.dependencies.map { "\($0.service) \($0.condition.rawValue)" } }
        #expect(list[0] == ["b service_started", "c service_started"])
        #expect(list[1] == ["c service_healthy", "d service_completed_successfully"])
        #expect(list[3] == ["c service_started"])
    }

    @Test func healthcheckComesInThreeForms() throws {
        let full = try webService("healthcheck: {test: [CMD, pg_isready, -q], interval: 1m30s, timeout: 500ms, retries: 5, start_period: 1h}")
        #expect(full.healthcheck == .init(command: ["pg_isready", "-q"], interval: 90, timeout: 0.5, retries: 5, startPeriod: 3600))
        let defaults = Service.Healthcheck(command: ["/bin/sh", "-c", "curl -f localhost || exit 1"])
        #expect(try webService("healthcheck: {test: curl -f localhost || exit 1}").healthcheck == defaults)
        #expect(try webService("healthcheck: {test: [CMD-SHELL, curl -f localhost || exit 1]}").healthcheck == defaults)
        let off = Service.Healthcheck(command: [])
        #expect(try webService("healthcheck: {test: [NONE]}").healthcheck == off)
        #expect(try webService("healthcheck: {disable: true}").healthcheck == off)
        #expect(try webService("healthcheck: {disable: false}").healthcheck == nil)
    }

    @Test func restartHasFourPolicies() throws {
        let policies: [(String, Service.RestartPolicy)] = [
            ("no", .no), ("\"no\"", .no), ("always", .always), ("unless-stopped", .unlessStopped), ("on-failure", .onFailure(maximumRetries: nil)),
            ("on-failure:3", .onFailure(maximumRetries: 3)),
        ]
        for (text, policy) in policies { #expect(try webService("restart: \(text)").restart == policy) }
    }

    @Test func anchorsAndMergeKeysAreResolved() throws {
        let text = """
            x-base: &base
              image: "*not-an-alias"
              restart: always
              environment: &env {A: "1", B: '*b'}
            x-more: &more
              restart: unless-stopped
              expose: [80]
            services:
              a:
                <<: *base
                image: a
              b:
                <<: [*base, *more]
                image: b
                environment:
                  <<: *env
                  B: 2
              &name c: {image: c, environment: *env}
              d: {image: *name }
            """
        let list = try services(text)
        #expect(list.map(\.name.value) == ["a", "b", "c", "d"])
        #expect(list[0].variables.map(\.description) == ["A=1", "B=*b"])
        // Of two merged mappings the earlier wins.
        #expect(list[1].restart == .always)
        #expect(list[1].ports.map(\.number) == [80])
        #expect(Set(list[1].variables.map(\.description)) == ["A=1", "B=2"])
        #expect(list[2].variables == list[0].variables)
        #expect(try list[3].image == .reference(ImageReference("c")))
    }

    @Test func extensionKeysAreReadOver() throws {
        let text = "x-a: [1]\nservices:\n  web:\n    image: a\n    x-b: {c: d}\n    healthcheck: {test: a, x-e: f}\nvolumes:\n  v:\n  x-w: {a: b}"
        #expect(try services(text).count == 1)
    }

    @Test func whatHasNoEffectIsWarnedOf() throws {
        let project = try read("version: '3'\nname: shop\nservices:\n  a:\n    image: a\n    build: .\n    command: echo $NONE ${NONE}")
        #expect(project.name == "shop")
        #expect(project.warnings.map { "\($0.line):\($0.column)" } == ["1:1", "5:5", "7:14"])
        #expect(project.warnings.map(\.message).joined().contains("“version” has no effect"))
        #expect(project.referencedVariables == ["NONE"])
    }

    @Test func windowsLineEndsAndAByteOrderMarkDoNoHarm() throws {
        #expect(try services("\u{FEFF}services:\r\n  a:\r\n    image: a\r\n    command: x y\r\n").first?.command == ["x", "y"])
    }
}
