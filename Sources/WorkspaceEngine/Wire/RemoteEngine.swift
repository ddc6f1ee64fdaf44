public import KilnModel
import NIOCore

/// The engine of the connected kiln-agent, as kilnd uses it.
///
/// Cancelling a call's task cancels the work on the agent. When the connection is lost, calls under way and later ones fail with
/// `engine-unavailable`; the next connection brings a new `RemoteEngine`.
public struct RemoteEngine: WorkspaceEngine {
    let connection: WireConnection

    public func info() async throws -> EngineInfo { try await call(.info, Nothing()) }

    public func prune(keeping inventory: Inventory) async throws { try await order(.prune, inventory) }

    public func apply(_ workmachine: WorkmachineTarget) async throws { try await order(.applyWorkmachine, workmachine) }

    public func remove(_ workmachine: WorkmachineTarget) async throws { try await order(.removeWorkmachine, workmachine) }

    public func apply(_ workspace: WorkspaceTarget) async throws -> WorkspaceObservation { try await call(.applyWorkspace, workspace) }

    public func remove(_ workspace: WorkspaceTarget) async throws { try await order(.removeWorkspace, workspace) }

    public func apply(_ environment: EnvironmentTarget) async throws -> EnvironmentObservation { try await call(.applyEnvironment, environment) }

    public func remove(_ environment: EnvironmentTarget, volumes: Bool) async throws {
        try await order(.removeEnvironment, EnvironmentRemoval(environment: environment, volumes: volumes))
    }

    public func hasImage(of build: ImageBuild) async throws -> Bool { try await call(.hasImage, build) }

    public func missing(_ copies: FileCopies) async throws -> [FileCopy] { try await call(.missingFiles, copies) }

    public func usage(of workspace: WorkspaceTarget) async throws -> WorkspaceUsage { try await call(.usage, workspace) }

    public func traffic(of workspace: WorkspaceTarget) async throws -> [InterceptTraffic] { try await call(.traffic, workspace) }

    public func logs(_ request: LogRequest, output: @escaping @Sendable (LogLine) async throws -> Void) async throws {
        let message = try WireJSON.encode(request)
        try await withStream(.logs, message: message) { stream in try await read(LogLine.self, from: stream, output) }
    }

    public func observations(_ changed: @escaping @Sendable (ResourceReference) async -> Void) async throws {
        let message = try WireJSON.encode(Nothing())
        try await withStream(.observations, message: message) { stream in try await read(ResourceReference.self, from: stream, changed) }
    }

    private func order(_ verb: EngineVerb, _ value: some Encodable) async throws {
        let _: Nothing = try await call(verb, value)
    }

    func call<Answer: Decodable>(_ verb: EngineVerb, _ value: some Encodable) async throws -> Answer {
        let message = try WireJSON.encode(value)
        return try await withStream(verb, message: message) { stream in
            try await expectSuccess(stream)
            guard let answer = try await stream.collect(upTo: WireSettings.maximumMessage) else {
                throw KilnError(.engineFailed, "kiln-agent's answer to \(verb.rawValue) is over the limit of \(WireSettings.maximumMessage) bytes.")
            }
            return try WireJSON.decode(Answer.self, from: answer)
        }
    }
}

extension RemoteEngine {
    /// Opens a stream for `verb` and closes it when `body` returns or throws; errors of the wire become `engine-unavailable`.
    func withStream<Result>(_ verb: EngineVerb, message: ByteBuffer?, _ body: (WireStream) async throws -> Result) async throws -> Result {
        do {
            let stream = try await connection.post(verb.path, message: message)
            defer { stream.reset() }
            return try await body(stream)
        } catch let error as WireError {
            if Task.isCancelled { throw CancellationError() }
            throw KilnError(
                .engineUnavailable, "The connection to kiln-agent was lost during \(verb.rawValue): \(error.description.printable(limit: 200))",
                hint: "kiln-agent connects again by itself while it runs; `make up` starts it.")
        }
    }

    /// Waits for the answer's head and throws the error it brings, if any.
    func expectSuccess(_ stream: WireStream) async throws {
        let status = try await stream.head().first(name: ":status") ?? ""
        guard status != "200" else { return }
        guard let body = try await stream.collect(upTo: WireSettings.maximumMessage), let error = try? WireJSON.decode(KilnError.self, from: body)
        else {
            throw KilnError(.engineFailed, "kiln-agent answered \(status.printable(limit: 20)) without saying why.")
        }
        throw error
    }

    /// Reads `WireLine`s to the end, and throws the failure that ends them.
    func read<Item: Codable & Sendable>(_: Item.Type, from stream: WireStream, _ body: @Sendable (Item) async throws -> Void) async throws {
        try await expectSuccess(stream)
        let reader = WireReader(stream)
        while let line = try await reader.value(WireLine<Item>.self) {
            switch line {
            case .item(let item): try await body(item)
            case .failure(let error): throw error
            }
        }
    }
}
