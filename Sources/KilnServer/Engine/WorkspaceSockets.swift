internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import KilnControl
internal import KilnModel
internal import KilnStore
internal import Logging
internal import NIOCore
internal import NIOHTTPTypes

/// The API on connections that come from inside workspaces: the same HTTP, but the socket says who asks.
struct WorkspaceSockets: Sendable {
    let store: KilnStore
    let respond: @Sendable (Request, KilnRequestContext) async throws -> Response
    let logger: Logger

    /// Serves callers until there are no more.
    func serve<Callers: AsyncSequence & Sendable>(_ callers: Callers) async where Callers.Element: WorkspaceCaller, Callers.Failure == Never {
        await withDiscardingTaskGroup { group in
            for await caller in callers { group.addTask { await serve(caller) } }
            group.cancelAll()
        }
    }

    private func serve(_ caller: some WorkspaceCaller) async {
        do {
            guard let workspace = try await store.document(.workspace, caller.workspace) else {
                logger.warning("a call from a workspace that is not known", metadata: ["id": "\(caller.workspace)"])
                return try await caller.open { $0.close() }
            }
            try await serve(identity: .workspace(id: workspace.id, owner: workspace.owner, name: workspace.name), caller.open)
        } catch {
            logger.debug("a workspace's connection ended", metadata: ["id": "\(caller.workspace)", "error": "\(error)"])
        }
    }

    /// Serves HTTP/1 on a channel of raw bytes from which nothing was read yet; returns when it is closed.
    func serve(channel: any Channel, identity: Identity) async throws {
        try await serve(identity: identity) { configure in
            try await channel.eventLoop.flatSubmit { configure(channel) }.get()
        }
    }

    private func serve(
        identity: Identity,
        _ open: (@escaping @Sendable (any Channel) -> EventLoopFuture<HTTP1Channel.Value>) async throws -> HTTP1Channel.Value
    ) async throws {
        let (respond, logger) = (respond, logger)
        let http = HTTP1Channel(
            responder: { request, writer, channel in
                var logger = logger
                logger[metadataKey: "hb.request.id"] = "\(RequestID())"
                let context = KilnRequestContext(source: .init(channel: channel, logger: logger), identity: identity)
                let response = try await respond(request, context)
                try await writer.write(response: response.head, body: response.body)
            }
        )
        let value = try await open { http.setup(channel: $0, logger: logger) }
        await http.handle(value: value, logger: logger)
    }
}
