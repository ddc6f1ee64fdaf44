internal import HTTPTypes
internal import Hummingbird
internal import KilnModel

/// The routes, gathered before they become a router, so that a path that exists answers the wrong method with 405, and so that what is served
/// and what is described are one list.
struct RouteTable {
    typealias Handler = @Sendable (Call) async throws -> Response

    struct Route: Sendable {
        /// What answers it.
        enum Answerer: Sendable {
            case handler(Handler)
            /// Without a token: nothing about anybody's resources.
            case open(@Sendable () async throws -> Response)
            /// This table, described.
            case description
        }

        var method: HTTPRequest.Method
        /// Parameters in braces: `/api/v1/workspaces/{ref}`.
        var path: String
        var description: RouteDescription
        var answerer: Answerer

        var isOpen: Bool { if case .handler = answerer { false } else { true } }
    }

    private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]

    private(set) var routes: [Route] = []

    /// What answers without a token.
    var openPaths: Set<String> { Set(routes.filter(\.isOpen).map(\.path)) }

    mutating func add(_ method: HTTPRequest.Method, _ path: String, _ description: RouteDescription, _ handler: @escaping Handler) {
        var description = description
        // What a name in the path means depends on whose it is.
        if path.contains("{ref}"), !description.takes(RouteDescription.Parameter.owner.name) { description.parameters.insert(.owner, at: 0) }
        if description.promises { description.parameters.append(.prefer) }
        routes.append(Route(method: method, path: path, description: description, answerer: .handler(handler)))
    }

    mutating func addOpen(_ path: String, _ description: RouteDescription, _ handler: @escaping @Sendable () async throws -> Response) {
        routes.append(Route(method: .get, path: path, description: description, answerer: .open(handler)))
    }

    /// Where the whole table describes itself.
    mutating func addDescription(_ path: String, _ description: RouteDescription) {
        routes.append(Route(method: .get, path: path, description: description, answerer: .description))
    }

    func router(_ front: Front) -> Router<KilnRequestContext> {
        let router = Router(context: KilnRequestContext.self)
        router.add(middleware: front)
        let operations = Set(routes.map(\.description.id))
        for route in routes {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                guard let identity = context.identity else { throw KilnError.unauthenticated }
                switch route.answerer {
                case .handler(let handler):
                    let (description, note) = (route.description, context.note)
                    note.begin(description)
                    let author = RequestAuthor(identity, description, note)
                    let store = front.backend.store
                    let call = Call(
                        request: request, identity: identity, parameters: context.parameters, description: description, operations: operations,
                        note: note, store: store.changed(for: author), logger: context.logger)
                    try call.checkQuery()
                    let response = try await handler(call)
                    guard description.promises, let patience = Patience(request) else { return response }
                    return try await patience.answer(response, to: identity, from: store)
                case .open(let handler): return try await handler()
                case .description: return try .json(OpenAPIDocument.make(routes))
                }
            }
        }
        for (path, served) in Dictionary(grouping: routes, by: \.path).mapValues({ $0.map(\.method) }) {
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
