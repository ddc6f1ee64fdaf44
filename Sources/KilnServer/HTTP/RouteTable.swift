internal import HTTPTypes
internal import Hummingbird
internal import KilnModel

/// The routes, gathered before they become a router, so that a path that exists answers the wrong method with 405.
struct RouteTable {
    typealias Handler = @Sendable (Call) async throws -> Response

    private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]

    private var handlers: [(path: String, method: HTTPRequest.Method, handler: Handler)] = []
    /// What answers without a token: nothing about anybody's resources.
    private(set) var openPaths: Set<String> = []

    mutating func add(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        handlers.append((path, method, handler))
    }

    mutating func addOpen(_ path: String, _ handler: @escaping @Sendable () async throws -> Response) {
        openPaths.insert(path)
        handlers.append((path, .get, { _ in try await handler() }))
    }

    func router(_ front: Front) -> Router<KilnRequestContext> {
        let router = Router(context: KilnRequestContext.self)
        router.add(middleware: front)
        for (path, method, handler) in handlers {
            router.on(RouterPath(path), method: method) { request, context in
                guard let identity = context.identity else { throw KilnError.unauthenticated }
                return try await handler(
                    Call(request: request, identity: identity, parameters: context.parameters, logger: context.logger)
                )
            }
        }
        for (path, served) in Dictionary(grouping: handlers, by: \.path).mapValues({ $0.map(\.method) }) {
            for method in Self.methods where !served.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw MethodNotAllowed(allowed: served)
                }
            }
        }
        return router
    }
}

/// The path exists, but not for this method.
struct MethodNotAllowed: Error {
    let allowed: [HTTPRequest.Method]
}
