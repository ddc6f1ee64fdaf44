internal import Glibc
internal import Hummingbird
internal import KilnControl
internal import KilnModel
internal import KilnStore
public import Logging
public import ServiceLifecycle
public import UnixSignals
internal import WorkspaceEngine

/// kilnd, put together.
public enum KilnServer {
    /// Runs until SIGTERM or SIGINT, waiting for kiln-agent on `Instance.agentSocket`. Workspaces run on without it.
    public static func run(_ configuration: Configuration, logger: Logger) async throws {
        try prepare(configuration)
        let listener = AgentListener(socketPath: configuration.agentSocket, logger: logger)
        try await run(
            configuration, connections: listener.connections, services: [AgentListenerService(listener: listener)],
            signals: [.sigterm, .sigint], logger: logger
        )
    }

    /// As above, with engines from elsewhere.
    /// - Parameters:
    ///   - services: what the connections need to run.
    ///   - onListening: called with the port once requests are answered.
    public static func run<Connections: AsyncSequence & Sendable>(
        _ configuration: Configuration, connections: Connections, services: [any ServiceLifecycle.Service] = [], signals: [UnixSignal] = [],
        logger: Logger, onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) async throws where Connections.Element: EngineConnection, Connections.Failure == Never {
        try prepare(configuration)
        let store = try KilnStore(path: configuration.storePath)
        let controller = Controller(store: store, contexts: try BuildContexts(directory: configuration.contextsDirectory), logger: logger)
        let backend = Backend(store: store, controller: controller, metrics: RequestMetrics(), configuration: configuration, logger: logger)
        let responder = backend.responder()
        let application = Application(
            responder: responder,
            configuration: .init(address: .hostname(configuration.address, port: configuration.port)),
            onServerRunning: { await onListening($0.localAddress?.port ?? configuration.port) },
            logger: logger
        )
        let sockets = WorkspaceSockets(store: store, respond: { try await responder.respond(to: $0, context: $1) }, logger: logger)
        // Started in this order, stopped in the other.
        let all: [any ServiceLifecycle.Service] =
            [ControllerService(controller: controller)] + services
            + [EngineService(connections: connections, controller: controller, sockets: sockets), application]
        var group = ServiceGroupConfiguration(services: all.map { .init(service: $0) }, gracefulShutdownSignals: signals, logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(5)
        try await ServiceGroup(configuration: group).run()
        try store.close()
    }

    /// Opens the store for a command that runs beside kilnd.
    static func openStore(_ configuration: Configuration) throws -> KilnStore {
        try prepare(configuration)
        return try KilnStore(path: configuration.storePath)
    }

    /// Makes kilnd's own directory, for nobody else's eyes. Made by root in another user's directory, it becomes that user's.
    private static func prepare(_ configuration: Configuration) throws(KilnError) {
        let directory = configuration.directory
        let made = mkdir(directory, 0o700)
        guard made == 0 || errno == EEXIST else {
            throw KilnError(
                .internalError, "The directory \(directory) cannot be made: \(String(cString: strerror(errno))).",
                hint: "`make up` makes it and gives it to kilnd's user."
            )
        }
        var parent = stat()
        guard made == 0, geteuid() == 0, stat(configuration.stateDirectory, &parent) == 0 else { return }
        guard chown(directory, parent.st_uid, parent.st_gid) == 0 else {
            throw KilnError(.internalError, "The directory \(directory) cannot be given to its user: \(String(cString: strerror(errno))).")
        }
    }
}

private struct ControllerService: ServiceLifecycle.Service {
    let controller: Controller

    func run() async throws {
        let controller = controller
        do {
            try await cancelWhenGracefulShutdown { try await controller.run() }
        } catch is CancellationError {}
    }
}

private struct AgentListenerService: ServiceLifecycle.Service {
    let listener: AgentListener

    func run() async throws {
        let listener = listener
        try await cancelWhenGracefulShutdown { try await listener.run() }
    }
}
