import Foundation
import KilnModel
import NIOHTTP1
import Synchronization
import Testing

@testable import KilnAPI
@testable import KilnCommands

@Suite("env create", .timeLimit(.minutes(1))) struct EnvironmentCreateTests {
    private final class Sent: Sendable {
        let create = Mutex<CreateEnvironment?>(nil)
        let contexts = Mutex<[String: Int]>([:])
    }

    private static let compose = """
        services:
          api:
            build: ./api
            environment: {TAG: "${TAG}", FROM_FILE: "${FROM_FILE}"}
            env_file: api.env
          db:
            image: postgres:16
        """

    private func prepare(_ folder: String) throws {
        try Fixtures.write(Self.compose, to: "\(folder)/compose.yaml")
        try Fixtures.write("FROM_FILE=a\nTAG=b\nUNUSED=c\n", to: "\(folder)/.env")
        try Fixtures.write("KEY=value\n", to: "\(folder)/api.env")
        try Fixtures.write("FROM scratch\n", to: "\(folder)/api/Dockerfile")
        try Fixtures.write("*.log\n", to: "\(folder)/api/.dockerignore")
        try Fixtures.write("noise", to: "\(folder)/api/x.log")
        try Fixtures.write("server {}\n", to: "\(folder)/conf/nginx.conf")
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/conf/out", withDestinationPath: "/etc/passwd")
        try Fixtures.write("hunter2\n", to: "\(folder)/password.txt")
    }

    private func serve(_ sent: Sent) -> @Sendable (TestServer.Exchange) async throws -> Void {
        { exchange in
            switch exchange.head.method {
            case .HEAD:
                let known = sent.contexts.withLock { $0[exchange.path] != nil }
                try await exchange.answer(known ? .ok : .notFound, "")
            case .PUT:
                let size = try await exchange.body().count
                sent.contexts.withLock { $0[exchange.path] = size }
                try await exchange.answer(.created, "")
            default:
                if exchange.path == Routes.compose {
                    let request = try JSONDecoder().decode(InspectCompose.self, from: Data(try await exchange.body()))
                    return try await Self.inspect(request, exchange)
                }
                let request = try JSONDecoder().decode(CreateEnvironment.self, from: Data(try await exchange.body()))
                sent.create.withLock { $0 = request }
                try await exchange.answer(.created, Fixtures.json(Fixtures.environment()))
            }
        }
    }

    /// What kilnd says of the files of this suite.
    private static func inspect(_ request: InspectCompose, _ exchange: TestServer.Exchange) async throws {
        guard !request.sources.files[0].text.contains("bogus") else {
            let error = KilnError(.invalidCompose, "\(request.sources.files[0].path):4:5: “bogus” is not a key of a service.")
            return try await exchange.answer(.badRequest, type: "application/problem+json", Fixtures.problem(error))
        }
        let text = request.sources.files[0].text
        var answer = ComposeInspection()
        let file = text.contains("/secret") ? "../${X}/secret" : "api.env"
        if request.sources.texts[file] == nil, !request.sources.absent.contains(file) { answer.needs = [.init(path: file, required: true)] }
        answer.contexts = [.init(path: "./api", containerfiles: ["Dockerfile"])]
        answer.copies = [
            .init(path: "./conf", mayBeMissing: false), .init(path: "./conf/nginx.conf", mayBeMissing: false),
            .init(path: "./none", mayBeMissing: true),
        ]
        answer.secretFiles = [.init(name: try SecretName("password"), path: "./password.txt")]
        answer.variables = ["TAG", "FROM_FILE"]
        try await exchange.answer(.ok, Fixtures.json(answer))
    }

    @Test("sends the file, its variables, its environment files and its contexts, each context once") func everything() async throws {
        try await Fixtures.withFolder { folder in
            try prepare(folder)
            let sent = Sent()
            try await TestServer.run(serve(sent)) { server in
                let file = "\(folder)/compose.yaml"
                for _ in 1...2 {
                    let run = await kl(
                        "env", "create", "shop", "--file", file, "--no-wait", at: server.endpoint, environment: ["TAG": "1.2", "OTHER": "x"]
                    )
                    #expect(run.status == 0, "\(run.printed.error)")
                    #expect(run.printed.error.contains("/conf/out stays behind"), "\(run.printed.error)")
                }
                let request = try #require(sent.create.withLock { $0 })
                let sources = request.bundle.sources
                #expect(sources.files == [.init(path: file, text: Self.compose)])
                #expect(sources.variables == ["TAG": "1.2"])
                #expect(sources.texts == ["api.env": "KEY=value\n", ".env": "FROM_FILE=a\nTAG=b\nUNUSED=c\n"])
                #expect(sources.directory == folder)
                #expect(request.bundle.contexts.keys.sorted() == ["./api"])
                let copies = request.bundle.copies
                #expect(copies.mapValues(\.kind) == ["./conf": .folder, "./conf/nginx.conf": .file, "./none": .folder])
                #expect(copies["./conf"]?.origin == "conf")
                #expect(request.bundle.secrets.map(\.value.bytes) == [Array("hunter2\n".utf8)])
                #expect(sent.contexts.withLock { $0.count } == 4)
                #expect(await server.seen.requests.filter { $0.method == .PUT }.count == 4)
            }
        }
    }

    @Test("refuses what is wrong with the file or around it, makes nothing, and exits 2") func refusals() async throws {
        try await Fixtures.withFolder { folder in
            try prepare(folder)
            try Fixtures.write("services:\n  a:\n    image: x\n    bogus: 1\n", to: "\(folder)/bad.yaml")
            let sent = Sent()
            try await TestServer.run(serve(sent)) { server in
                let bad = await kl("env", "create", "shop", "--file", "\(folder)/bad.yaml", at: server.endpoint)
                #expect(bad.status == 2)
                #expect(bad.printed.error.contains("bad.yaml:4:"))
                #expect(await kl("env", "create", "shop", "--file", "\(folder)/none.yaml", at: server.endpoint).status == 2)
                try Fixtures.write("services:\n  a:\n    image: x\n    env_file: ../${X}/secret\n", to: "\(folder)/out.yaml")
                #expect(await kl("env", "create", "shop", "--file", "\(folder)/out.yaml", at: server.endpoint).status == 2)
                try FileManager.default.createSymbolicLink(atPath: "\(folder)/api/escape", withDestinationPath: "../../x")
                let escape = await kl("env", "create", "shop", "--file", "\(folder)/compose.yaml", at: server.endpoint)
                #expect(escape.status == 2)
                #expect(escape.printed.error.contains("escape"))
                #expect(sent.create.withLock { $0 } == nil)
            }
        }
    }
}
