import KilnModel
import NIOCore

extension EngineVerb {
    var form: WireAnswer.Form {
        switch self {
        case .build, .logs, .observations, .applyPackages, .collectGarbage: .lines
        case .session, .serviceSession: .frames
        default: .value
        }
    }
}

extension EngineServer {
    func perform(_ verb: EngineVerb, on stream: WireStream, _ answer: WireAnswer) async throws {
        switch verb {
        case .info: try await call(stream, answer) { (_: Nothing) in try await engine.info() }
        case .prune: try await call(stream, answer) { (kept: Inventory) in try await done { try await engine.prune(keeping: kept) } }
        case .applyWorkmachine: try await call(stream, answer) { (target: WorkmachineTarget) in try await done { try await engine.apply(target) } }
        case .removeWorkmachine: try await call(stream, answer) { (target: WorkmachineTarget) in try await done { try await engine.remove(target) } }
        case .applyWorkspace: try await call(stream, answer) { (target: WorkspaceTarget) in try await engine.apply(target) }
        case .removeWorkspace: try await call(stream, answer) { (target: WorkspaceTarget) in try await done { try await engine.remove(target) } }
        case .applyEnvironment: try await call(stream, answer) { (target: EnvironmentTarget) in try await engine.apply(target) }
        case .removeEnvironment:
            try await call(stream, answer) { (removal: EnvironmentRemoval) in
                try await done { try await engine.remove(removal.environment, volumes: removal.volumes) }
            }
        case .hasImage: try await call(stream, answer) { (build: ImageBuild) in try await engine.hasImage(of: build) }
        case .usage: try await call(stream, answer) { (target: WorkspaceTarget) in try await engine.usage(of: target) }
        case .traffic: try await call(stream, answer) { (target: WorkspaceTarget) in try await engine.traffic(of: target) }
        case .build: try await build(stream, answer)
        case .missingFiles: try await call(stream, answer) { (copies: FileCopies) in try await engine.missing(copies) }
        case .storeFiles: try await storeFiles(stream, answer)
        case .session:
            try await session(stream, answer) { (opening: SessionOpening<WorkspaceTarget>, input, output) in
                try await engine.session(opening.request, in: opening.place, input: input, output: output)
            }
        case .serviceSession:
            try await session(stream, answer) { (opening: SessionOpening<ServiceReference>, input, output) in
                try await engine.session(opening.request, in: opening.place, input: input, output: output)
            }
        case .logs: try await logs(stream, answer)
        case .observations: try await observations(stream, answer)
        case .searchPackages: try await call(stream, answer) { (query: PackageQuery) in try await engine.search(query) }
        case .packageDetails: try await call(stream, answer) { (name: PackageName) in try await engine.details(of: name) }
        case .resolvePackages: try await call(stream, answer) { (wishes: [PackageWish]) in try await engine.resolve(wishes) }
        case .packageOrigins:
            try await call(stream, answer) { (question: OriginQuestion) in try await engine.origins(of: question.item, in: question.packages) }
        case .packageUsage: try await call(stream, answer) { (target: WorkmachineTarget) in try await engine.usage(of: target) }
        case .applyPackages:
            try await progressing(stream, answer) { (target: PackagesTarget, progress) in try await engine.apply(target, progress: progress) }
        case .collectGarbage:
            try await progressing(stream, answer) { (target: WorkmachineTarget, progress) in
                try await engine.collectGarbage(on: target, progress: progress)
            }
        }
    }

    private func done(_ body: () async throws -> Void) async rethrows -> Nothing {
        try await body()
        return Nothing()
    }

    private func call<Request: Decodable, Answer: Encodable>(
        _ stream: WireStream, _ answer: WireAnswer, _ body: (Request) async throws -> Answer
    ) async throws {
        try await answer.end(WireJSON.encode(body(request(stream))))
    }

    /// The one JSON value a stream brings.
    private func request<Request: Decodable>(_ stream: WireStream) async throws -> Request {
        guard let message = try await stream.collect(upTo: WireSettings.maximumMessage) else {
            throw KilnError(.invalidValue, "A message for kiln-agent is over the limit of \(WireSettings.maximumMessage) bytes.")
        }
        return try WireJSON.decode(Request.self, from: message)
    }

    /// The line of JSON that opens a stream.
    private func opening<Opening: Decodable & Sendable>(_ reader: WireReader) async throws -> Opening {
        guard let opening = try await reader.value(Opening.self) else { throw WireError("The stream ended before it began.") }
        return opening
    }

    private func build(_ stream: WireStream, _ answer: WireAnswer) async throws {
        let reader = WireReader(stream)
        let build: ImageBuild = try await opening(reader)
        // Pulled, not pushed: the context is read no faster than the engine takes it.
        let context = ByteStream(unfolding: { try await reader.bytes() })
        try await engine.build(build, context: context) { step in await sendLine(step, answer) }
        try await answer.end()
    }

    private func storeFiles(_ stream: WireStream, _ answer: WireAnswer) async throws {
        let reader = WireReader(stream)
        let opening: FileOpening = try await opening(reader)
        try await engine.store(opening.copy, of: opening.copies, tar: ByteStream(unfolding: { try await reader.bytes() }))
        try await answer.end(WireJSON.encode(Nothing()))
    }

    private func session<Place>(
        _ stream: WireStream, _ answer: WireAnswer, _ run: (SessionOpening<Place>, SessionInput, @escaping SessionOutput) async throws -> Void
    ) async throws {
        let reader = WireReader(stream)
        let opening: SessionOpening<Place> = try await opening(reader)
        let input = SessionInput(unfolding: { try await reader.frame() })
        try await run(opening, input) { frame in try await answer.send(ByteBuffer(bytes: frame.encoded)) }
        try await answer.end()
    }

    private func logs(_ stream: WireStream, _ answer: WireAnswer) async throws {
        let request: LogRequest = try await request(stream)
        try await engine.logs(request) { line in try await answer.send(WireJSON.encodeLine(WireLine.item(line))) }
        try await answer.end()
    }

    private func progressing<Target: Decodable, Outcome: Codable & Sendable>(
        _ stream: WireStream, _ answer: WireAnswer,
        _ work: (Target, @escaping @Sendable (PackageProgress) async -> Void) async throws -> Outcome
    ) async throws {
        let target: Target = try await request(stream)
        let outcome = try await work(target) { progress in await sendLine(ProgressLine<Outcome>.progress(progress), answer) }
        try await answer.send(WireJSON.encodeLine(WireLine.item(ProgressLine.done(outcome))))
        try await answer.end()
    }

    private func observations(_ stream: WireStream, _ answer: WireAnswer) async throws {
        let _: Nothing = try await request(stream)
        try await engine.observations { reference in await sendLine(reference, answer) }
        try await answer.end()
    }

    /// Sends where the engine has no way to hear of an error: a stream that no longer takes lines has its call cancelled anyway.
    private func sendLine(_ item: some Codable & Sendable, _ answer: WireAnswer) async {
        do {
            try await answer.send(WireJSON.encodeLine(WireLine.item(item)))
        } catch {
            logger.debug("nobody took a line", metadata: ["error": "\(error)"])
        }
    }
}
