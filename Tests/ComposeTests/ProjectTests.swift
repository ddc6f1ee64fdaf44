import Compose
import KilnModel
import Testing

/// What makes a project of several files.
@Suite struct ProjectTests {
    private func variables(_ service: Service) -> [String] { service.variables.map(\.description).sorted() }

    @Test func aLaterFileComesOverAnEarlierOne() throws {
        let base = """
            services:
              api:
                image: api:1
                environment: {A: "1", B: "2"}
                ports: ["80:80"]
                command: [a, b]
                healthcheck: {test: [CMD, a], interval: 3s}
                volumes: ["data:/data", "data:/other"]
                depends_on: [db]
              db: {image: db}
            volumes: {data: , scratch: }
            """
        let over = """
            services:
              api:
                image: api:2
                environment: [B=3, C=4]
                ports: ["90:90"]
                command: [c]
                healthcheck: {timeout: 1s}
                volumes: ["scratch:/data"]
                depends_on: {cache: {condition: service_healthy}}
              cache: {image: cache}
            """
        let project = try read(files: [("a.yaml", base), ("b.yaml", over)])
        let all = try services(of: project)
        #expect(all.map(\.name.value) == ["api", "db", "cache"])
        #expect(try all[0].image == .reference(ImageReference("api:2")))
        #expect(variables(all[0]) == ["A=1", "B=3", "C=4"])
        #expect(all[0].ports.map(\.number) == [80, 90])
        #expect(all[0].command == ["c"])
        #expect(all[0].healthcheck == .init(command: ["a"], interval: 3, timeout: 1))
        #expect(all[0].volumes.map { "\($0.volume):\($0.path)" } == ["scratch:/data", "data:/other"])
        #expect(all[0].dependencies.map(\.service.value) == ["db", "cache"])
    }

    @Test func resetAndOverrideTakeAwayWhatTheFilesBeforeSay() throws {
        let base = "services:\n  a:\n    image: a\n    ports: [80]\n    expose: [1]\n    environment: {A: 1, B: 2}\n    command: [x]\n"
        let over = """
            services:
              a:
                ports: !override [90]
                expose: !reset []
                environment: {A: !reset null}
                command: !reset null
            """
        let service = try #require(try services(of: read(files: [("a", base), ("b", over)])).first)
        #expect(service.ports.map(\.number) == [90])
        #expect(variables(service) == ["B=2"])
        #expect(service.command == nil)
        let third = "services: {a: {ports: [91], command: [y]}}"
        let again = try #require(try services(of: read(files: [("a", base), ("b", over), ("c", third)])).first)
        #expect(again.ports.map(\.number) == [90, 91])
        #expect(again.command == ["y"])
    }

    @Test func anExternalSecretStandsInAVariableBeforeItHasAValue() throws {
        let text = """
            services: {api: {image: x, environment: {PASSWORD: "${db_password}", URL: "db://me:${db_password}@db", OTHER: "${nothing}"}}}
            secrets: {db_password: {external: true}}
            """
        let project = try read(text)
        #expect(project.warnings.map(\.message) == ["The variable nothing is not set; it counts as empty."])
        let api = try #require(try services(of: project).first)
        #expect(api.secretVariables.map(\.key).sorted() == ["PASSWORD", "URL"])
        #expect(api.secrets == [try SecretName("db_password")])
        // A variable that is set goes before.
        #expect(try variables(#require(try services(of: read(text, variables: ["db_password": "x"])).first)).contains("PASSWORD=x"))
        // There is nowhere else that it could stand.
        let elsewhere = findings("services: {api: {image: \"${key}\"}}\nsecrets: {key: {external: true}}\n")
        #expect(elsewhere.first?.message.contains("the secret key") == true)
    }

    @Test func aNameThatIsNoneIsToldFromOneThatWouldDo() {
        let hint = findings("services: {My_Api: {image: x}}").first?.hint
        #expect(hint?.contains("Call it my-api;") == true && hint?.contains("aliases: [My_Api]") == true)
    }

    @Test func filesThatDifferInKindCannotBeMerged() throws {
        let error = try #require(throws: ComposeError.self) {
            _ = try read(files: [("a.yaml", "services: {a: {image: a, ports: [80]}}"), ("b.yaml", "services:\n  a:\n    ports: {x: y}\n")])
        }
        #expect(error.findings.map { "\($0.file):\($0.line):\($0.column)" } == ["b.yaml:3:12"])
        #expect(error.kilnError.message.contains("“ports” is a map here and a list in a.yaml, line 1"))
    }

    @Test func findingsNameTheFileTheyAreIn() throws {
        let error = try #require(throws: ComposeError.self) {
            _ = try read(files: [("a.yaml", "services:\n  a: {image: a}\n"), ("dev/b.yaml", "services:\n  a:\n    imgae: b\n")])
        }
        #expect(error.findings.map { "\($0.file):\($0.line):\($0.column)" } == ["dev/b.yaml:3:5"])
    }

    @Test func aServiceExtendsAnotherOfItsFile() throws {
        let text = """
            services:
              base:
                image: base
                environment: {A: 1, B: 1}
                depends_on: [db]
                labels: [x=1]
              middle: {extends: base, environment: {B: 2}, labels: {y: 2}}
              top: {extends: {service: middle}, image: top, environment: [C=3]}
              db: {image: db}
            """
        let top = try #require(try services(text).first { $0.name.value == "top" })
        #expect(try top.image == .reference(ImageReference("top")))
        #expect(variables(top) == ["A=1", "B=2", "C=3"])
        #expect(top.settings.labels == ["x": "1", "y": "2"])
        #expect(top.dependencies.map(\.service.value) == ["db"])
    }

    @Test func aServiceExtendsOneOfAnotherFileWhosePathsAreItsOwn() throws {
        let text = "services:\n  web: {extends: {file: common/base.yaml, service: web}}\n"
        #expect(try read(text).needs == (try read(text).needs.filter { $0.path == "common/base.yaml" && $0.required }))
        let base =
            "services:\n  web:\n    build: ./web\n    env_file: web.env\n    volumes: [./conf:/conf]\n    extends: {file: ../more.yaml, service: m}\n"
        let second = try read(text, texts: ["common/base.yaml": base])
        #expect(second.needs.map(\.path) == ["more.yaml"])
        let more = "services: {m: {image: x, volumes: [\"./m:/m\"]}}"
        let third = try read(text, texts: ["common/base.yaml": base, "more.yaml": more])
        #expect(third.needs.map(\.path) == ["common/web.env"])
        let project = try read(text, texts: ["common/base.yaml": base, "more.yaml": more, "common/web.env": "A=1"])
        #expect(project.contexts == ["common/web"])
        #expect(project.copies.map(\.path) == ["./m", "common/conf"].sorted() || project.copies.map(\.path) == ["m", "common/conf"])
        #expect(variables(try #require(try services(of: project).first)) == ["A=1"])
    }

    @Test func aFileThatIsExtendedAndAbsentIsRefusedWhereItIsNamed() throws {
        let error = try #require(throws: ComposeError.self) {
            _ = try read("services:\n  web: {image: a, extends: {file: none.yaml, service: web}}\n", absent: ["none.yaml"])
        }
        #expect(error.findings.map { "\($0.line):\($0.column)" } == ["2:19"])
    }

    @Test func includedProjectsBringTheirServicesVariablesAndPaths() throws {
        let text =
            "include:\n  - db/compose.yaml\n  - path: [x/a.yaml, x/b.yaml]\n    env_file: x/x.env\nservices: {api: {image: api, depends_on: [db]}}\n"
        let texts = [
            "db/compose.yaml": "services: {db: {image: 'db:${TAG}', volumes: ['data:/data', './init:/init']}}\nvolumes: {data: }",
            "db/.env": "TAG=7\nOUTER=inner",
            "x/a.yaml": "services: {x: {image: 'x:${X}', environment: {OUTER: }}}", "x/b.yaml": "services: {x: {ports: [80]}}", "x/x.env": "X=1",
            ".env": "OUTER=outer",
        ]
        let project = try read(text, texts: texts)
        let all = try services(of: project)
        #expect(all.map(\.name.value).sorted() == ["api", "db", "x"])
        #expect(try all.first { $0.name.value == "db" }?.image == .reference(ImageReference("db:7")))
        #expect(project.copies.map(\.path) == ["db/init"])
        let x = try #require(all.first { $0.name.value == "x" })
        #expect(try x.image == .reference(ImageReference("x:1")))
        #expect(variables(x) == ["OUTER=outer"])
        #expect(x.ports.map(\.number) == [80])
    }

    @Test func anIncludedServiceThatSaysSomethingElseIsRefused() throws {
        let error = try #require(throws: ComposeError.self) {
            _ = try read("include: [b.yaml]\nservices:\n  a: {image: a}\n", texts: ["b.yaml": "services:\n  a: {image: b}\n"])
        }
        #expect(error.findings.map { "\($0.file):\($0.line)" } == ["b.yaml:2"])
        #expect(
            try services(of: read("include: [b.yaml]\nservices:\n  a: {image: a}\n", texts: ["b.yaml": "services:\n  a: {image: a}\n"])).count == 1)
    }

    @Test func includingInACircleEnds() throws {
        let error = try #require(throws: ComposeError.self) {
            _ = try read("include: [b.yaml]\nservices: {a: {image: a}}\n", texts: ["b.yaml": "include: [c.yaml]", "c.yaml": "include: [b.yaml]"])
        }
        #expect(error.kilnError.message.contains("include each other"))
    }

    @Test func servicesOfAProfileTakePartOnlyWhenItIsAskedFor() throws {
        let text = "services:\n  a: {image: a}\n  b: {image: b, profiles: [debug]}\n  c: {image: c, profiles: [other, debug]}\n"
        #expect(try services(of: read(text)).map(\.name.value) == ["a"])
        #expect(try services(of: read(text, profiles: ["debug"])).map(\.name.value) == ["a", "b", "c"])
        #expect(try services(of: read(text, profiles: ["other"])).map(\.name.value) == ["a", "c"])
        #expect(try services(of: read(text, profiles: ["*"])).count == 3)
    }

    @Test func aDependencyThatIsNotRequiredMayBeInAProfile() throws {
        let text = "services:\n  a: {image: a, depends_on: {b: {condition: service_started, required: false}}}\n  b: {image: b, profiles: [x]}\n"
        #expect(try services(of: read(text)).map { $0.dependencies.count } == [0])
        #expect(try services(of: read(text, profiles: ["x"]))[0].dependencies == [.init(service: Name("b"), condition: .started, required: false)])
    }

    @Test func theVariablesFileBesideGivesWhatTheCallerHasNotSet() throws {
        let project = try read(
            "services: {a: {image: 'a:$A', environment: {B: $B}}}", variables: ["A": "outside"], texts: [".env": "A=inside\nB=${A}b"])
        let service = try #require(try services(of: project).first)
        #expect(try service.image == .reference(ImageReference("a:outside")))
        #expect(variables(service) == ["B=outsideb"])
        let error = try #require(throws: ComposeError.self) {
            _ = try read("services: {a: {image: a}}", texts: [".env": "A=1\nb c"], file: "shop/c.yaml")
        }
        #expect(error.findings.map { "\($0.file):\($0.line)" } == ["shop/.env:2"])
    }

    @Test func anAbsolutePathIntoTheProjectIsAPathOfTheProject() throws {
        var input = ComposeInput(
            files: [.init(path: "c.yaml", text: "services: {a: {image: a, volumes: ['$PWD/conf:/c', '${PWD}:/all']}}")],
            variables: ["PWD": "/home/anna/shop"])
        #expect(throws: ComposeError.self) { _ = try ComposeFile.read(input) }
        input.directory = "/home/anna/shop"
        #expect(try ComposeFile.read(input).copies.map(\.path) == ["conf", "."])
    }

    @Test func extendingIsBounded() throws {
        var text = "services:\n  s0:\n    image: a\n    environment:\n" + (0..<2000).map { "      K\($0): v\n" }.joined()
        for level in 1..<400 { text += "  s\(level): {extends: s0}\n" }
        #expect(findings(text).contains { $0.message.contains("extended") })
        var chain = "services:\n  s0: {image: a}\n"
        for level in 1..<100 { chain += "  s\(level): {extends: s\(level - 1)}\n" }
        #expect(!findings(chain).isEmpty)
    }
}
