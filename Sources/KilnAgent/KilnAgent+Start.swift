import KilnModel
public import LinuxEngine
public import Logging
import NIOPosix
import ServiceLifecycle
public import UnixSignals
public import WorkspaceEngine

/// kiln-agent, put together.
public enum KilnAgent {
    /// Runs until SIGTERM or SIGINT. Containers, networks and sockets' directories stay: workspaces run on without it.
    public static func run(_ configuration: AgentConfiguration, logger: Logger) async throws {
        try prepare(configuration)
        let forwarder = WorkspaceForwarder(logger: logger)
        let sockets = try WorkspaceSockets(
            directory: configuration.socketsDirectory, forwarder: forwarder, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        try await sockets.reopen(for: configuration.instance)
        let engine = try await LinuxEngine(configuration: configuration.engine, sockets: sockets, logger: logger)
        do {
            try await run(configuration, engine: engine, forwarder: forwarder, signals: [.sigterm, .sigint], logger: logger)
        } catch {
            try await engine.shutdown()
            throw error
        }
        try await engine.shutdown()
    }

    /// As above, with an engine from elsewhere.
    public static func run(
        _ configuration: AgentConfiguration, engine: some SupervisedEngine, forwarder: WorkspaceForwarder, signals: [UnixSignal] = [], logger: Logger
    ) async throws {
        let dialer = AgentDialer(
            socketPath: configuration.agentSocket, serverUserID: try configuration.peerUserID(),
            server: EngineServer(engine: engine, forwarder: forwarder, logger: logger), logger: logger)
        let (ready, readiness) = AsyncStream.makeStream(of: Never.self)
        // Started in this order, stopped in the other: calls end before what they stand on.
        let services: [any ServiceLifecycle.Service] = [
            Work { await forwarder.run() },
            Work { try await engine.run { readiness.finish() } },
            Work {
                for await _ in ready {}
                await dialer.run()
            },
        ]
        var group = ServiceGroupConfiguration(services: services.map { .init(service: $0) }, gracefulShutdownSignals: signals, logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(10)
        try await ServiceGroup(configuration: group).run()
        logger.info("stopped; workspaces run on")
    }

    /// Removes everything of an instance from the host, data included. No agent of it may be running.
    public static func purge(_ configuration: AgentConfiguration) async throws {
        try await LinuxEngine.purge(configuration.engine)
        try WorkspaceSockets.purge(configuration.socketsDirectory)
    }
}

/// An engine that needs to be kept running.
public protocol SupervisedEngine: WorkspaceEngine {
    /// Makes the host ready, calls `ready`, and supervises until cancelled. No other call is made before `ready`.
    func run(ready: @Sendable () async -> Void) async throws
}

extension LinuxEngine: SupervisedEngine {}
extension WorkspaceSockets: WorkspaceSocketHost {}

extension AgentConfiguration {
    var engine: LinuxEngine.Configuration {
        .init(
            instance: instance, stateDirectory: stateDirectory, runtimeDirectory: runtimeDirectory, toolsDirectory: toolsDirectory,
            baseImage: baseImage, packagesFile: packagesFile, debianBuilder: debianBuilder)
    }
}

/// Work that a graceful shutdown ends by cancelling it.
private struct Work: ServiceLifecycle.Service {
    let body: @Sendable () async throws -> Void

    init(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do { try await body() } catch is CancellationError {}
        }
    }
}
