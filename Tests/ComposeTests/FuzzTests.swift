import Compose
import KilnModel
import Testing

/// Throws damaged and random files at the reader: it never crashes, and every finding has a place.
@Suite struct FuzzTests {
    private static let seeds = [
        """
        name: shop
        x-base: &base {restart: always, environment: &env {A: "1", B: '${B:-b}'}}
        services:
          postgres:
            <<: *base
            build: {context: ./postgres, dockerfile: Dockerfile, args: [A=1], target: dev}
            ports: ["5432:5432", "127.0.0.1:53:53/udp", 80-82]
            volumes: ["data:/var/lib/data", {type: volume, source: data, target: /x}]
            healthcheck:
              test: ["CMD", "pg_isready"]
              interval: 1m30s
              retries: 3
          api:
            image: "api:${TAG}"
            command: sh -c 'echo "a b"' $$X
            entrypoint: [a, b]
            env_file: [a.env, {path: b.env, required: false}]
            environment:
              - A=1
              - B
            depends_on:
              postgres: {condition: service_healthy}
            expose: ["80", 90/udp]
            restart: on-failure:3
        volumes:
          data:
        """,
        """
        services:
          base: {image: b, tmpfs: [/run:size=64m], ulimits: {nofile: {soft: 1, hard: 2}}, sysctls: [net.core.somaxconn=1]}
          web:
            extends: base
            environment: !override {A: "1"}
            ports: !reset []
            deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 50M}}}
            configs: [{source: c, target: /c, mode: 0440}]
            secrets: [s]
            networks: {n: {aliases: [www]}}
            extra_hosts: ["a:1.2.3.4"]
            links: ["base:b"]
            volumes: ["./x:/x:ro", /anonymous]
            healthcheck: {interval: 5s}
            stop_signal: SIGRTMIN+3
            cap_add: [CHOWN]
        networks: {n: }
        configs: {c: {content: "x ${TAG}"}}
        secrets: {s: {file: ./s}}
        """,
        "services: {a: &a {image: x, depends_on: [b]}, b: {<<: *a, depends_on: }}\n",
        "? services\n: ? a\n  : image: |-\n      x\n...\n",
    ]
    private static let fragments = [
        "*", "&", "<<: ", ": ", "- ", "? ", "!!str ", "!x ", "|\n", ">\n", "---\n", "...\n", "\t", "\u{0}", "\u{E000}", "\u{FEFF}", "\"", "'", "${",
        "}", "$", "$$", "{", "[",
        "]", ",", "#", "%", "@", "`", "\r\n", "\u{85}", "\u{2028}", "🦊", "*base", "&env", "services", "depends_on: [a, b]", "65536", "a: a: a", "\\",
        "%YAML 1.1\n", "~",
    ]

    /// Whether the text was a good file after all.
    @discardableResult private func check(_ text: String, _ round: Int) -> Bool {
        do {
            let variables = ["TAG": "1", "B": ""]
            var project = try read(text, variables: variables, file: "fuzz.yaml")
            let texts = Dictionary(uniqueKeysWithValues: project.needs.map { ($0.path, "A=1\nB=${TAG}\n") })
            if !texts.isEmpty { project = try read(text, variables: variables, texts: texts, file: "fuzz.yaml") }
            #expect(project.warnings.allSatisfy { $0.line >= 1 && $0.column >= 1 })
            guard project.needs.isEmpty else { return false }
            let services = try services(of: project)
            #expect(Set(services.map(\.addressIndex)) == Set(services.indices.map { $0 + 1 }))
            #expect(Set(services.map(\.name)).count == services.count)
            return true
        } catch let error as ComposeError {
            #expect(!error.findings.isEmpty, "round \(round)")
            #expect(error.findings.allSatisfy { $0.line >= 1 && $0.column >= 1 && !$0.message.isEmpty }, "round \(round): \(error)")
            #expect(!error.kilnError.message.isEmpty)
        } catch {
            Issue.record("round \(round): \(error)")
        }
        return false
    }

    private func mutated(_ text: String, _ generator: inout SeededGenerator) -> String {
        var scalars = Array(text.unicodeScalars)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0...scalars.count, using: &generator)
            let end = min(scalars.count, place + Int.random(in: 0...12, using: &generator))
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: scalars.removeSubrange(place..<end)
            case 1: scalars.insert(contentsOf: scalars[place..<end], at: Int.random(in: 0...scalars.count, using: &generator))
            case 2: scalars.replaceSubrange(place..<end, with: Self.fragments.randomElement(using: &generator)!.unicodeScalars)
            case 3: scalars.insert(contentsOf: Self.fragments.randomElement(using: &generator)!.unicodeScalars, at: place)
            case 4 where place < scalars.count, 5 where place < scalars.count: scalars[place] = "a"
            case 6: scalars.insert(" ", at: place)
            default: scalars.insert(Unicode.Scalar(UInt8.random(in: 0...255, using: &generator)), at: place)
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func damagedFilesAreReadOrRefused(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        #expect(Self.seeds.allSatisfy { check($0, -1) })
        var good = 0
        for round in 0..<1500 where check(mutated(Self.seeds[round % Self.seeds.count], &generator), round) { good += 1 }
        // Enough of both, so that neither way goes untried.
        #expect((50..<1450).contains(good))
    }

    /// Files as people write them, each damaged a little: alone or over each other, with everything they refer to.
    @Test(arguments: ComposeCase.all)
    func damagedProjectsAreReadOrRefused(_ project: ComposeCase) throws {
        var generator = SeededGenerator(seed: project.name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
        let whole = try project.input()
        let names = Set(whole.files.map(\.path) + whole.texts.keys + [".env"])
        var (good, bad) = (0, 0)
        for round in 0..<60 {
            var input = whole
            input.profiles = ["*"]
            let texts = input.texts.keys.sorted()
            let victim = Int.random(in: 0..<(input.files.count + texts.count), using: &generator)
            if round == 0 {
                // As it is.
            } else if victim < input.files.count {
                input.files[victim].text = mutated(input.files[victim].text, &generator)
            } else {
                let name = texts[victim - input.files.count]
                input.texts[name] = mutated(input.texts[name] ?? "", &generator)
            }
            let (read, errors, warnings) = ComposeFile.examine(input)
            for finding in errors + warnings {
                #expect(
                    finding.line >= 1 && finding.column >= 1 && !finding.message.isEmpty && names.contains(finding.file), "round \(round): \(finding)"
                )
            }
            guard let read, read.needs.isEmpty else {
                #expect(read != nil || !errors.isEmpty)
                bad += 1
                continue
            }
            // Whatever was understood can be said again, and means the same.
            let converted = read.converted()
            var again = ComposeInput(files: [.init(path: "again.yaml", text: converted.yaml)], variables: input.variables, profiles: ["*"])
            again.texts = input.texts.filter { $0.key == ".env" }
            let (second, refusals, _) = ComposeFile.examine(again)
            #expect(refusals.isEmpty, "round \(round): \(refusals) of \(converted.yaml)")
            if let second { #expect(second.converted() == converted, "round \(round)") }
            good += 1
        }
        #expect(good > 0 && bad + good == 60)
    }

    @Test func randomBytesAreRefused() {
        var generator = SeededGenerator(seed: 5)
        for round in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            check(String(decoding: bytes, as: UTF8.self), round)
        }
    }

    @Test func randomIndicatorsAreReadOrRefused() {
        var generator = SeededGenerator(seed: 6)
        for round in 0..<3000 {
            let text = (0..<Int.random(in: 0...40, using: &generator)).map { _ in Self.fragments.randomElement(using: &generator)! }.joined()
            check(text, round)
            check("services:\n  a: " + text, round)
        }
    }

    @Test func damagedEnvironmentFilesAreReadOrRefused() {
        let seed = "# c\nexport A=1\nB=\"x\\n${A:-y}\" # c\nC='z\n'\nD\nE=a$$b # c\n"
        var generator = SeededGenerator(seed: 7)
        for round in 0..<3000 {
            let text = mutated(seed, &generator)
            do {
                _ = try EnvironmentFile.read(text: text, file: ".env", variables: [:])
            } catch {
                #expect(error.findings.allSatisfy { $0.line >= 1 && $0.column >= 1 }, "round \(round)")
            }
            _ = EnvironmentFile.referencedVariables(text: text)
        }
    }
}
