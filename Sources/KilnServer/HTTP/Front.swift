internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import KilnControl
internal import KilnModel
internal import KilnStore
internal import Logging

/// What every request passes first and every answer last: the host check, who asks, errors as problems, the count and the log line.
struct Front: RouterMiddleware {
    let backend: Backend
    let openPaths: Set<String>

    func handle(
        _ request: Request, context: KilnRequestContext, next: (Request, KilnRequestContext) async throws -> Response
    ) async throws -> Response {
        let clock = ContinuousClock()
        let start = clock.now
        var context = context
        let response: Response
        var refusal: String?
        do {
            // Whoever comes through a workspace's socket is known by the socket; there is no browser to be misled.
            if context.identity == nil {
                try Self.checkHost(request)
                context.identity = try await identify(request, context.note)
            }
            response = try await next(request, context)
        } catch {
            response = answer(to: error, context)
            refusal = (error as? KilnError)?.code.value
        }
        await audit(request, context, status: response.status.code, refusal)
        let seconds = start.duration(to: clock.now) / .seconds(1)
        let route = context.endpointPath ?? "NotFound"
        backend.metrics.record(route: route, method: request.method.rawValue, status: response.status.code, seconds: seconds)
        log(request, response, route, context, seconds)
        return response
    }

    private func identify(_ request: Request, _ note: RequestNote) async throws -> Identity {
        if openPaths.contains(request.uri.path) { return .user(owner: Self.nobody, admin: false) }
        guard let header = request.headers[.authorization] else { throw KilnError.unauthenticated }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer", let token = try await backend.store.token(String(parts[1])) else {
            throw KilnError.invalidToken
        }
        note.identified(by: token.id)
        return .user(owner: token.owner, admin: token.admin)
    }

    /// Notes a request that meant to change something and did not, or changed nothing in the store: what it changed there is noted. One that
    /// cannot be noted is answered all the same.
    private func audit(_ request: Request, _ context: KilnRequestContext, status: Int, _ refusal: String?) async {
        let note = context.note.current
        guard ![.get, .head].contains(request.method), let route = note.route, !route.isReading, let identity = context.identity else { return }
        if let noted = note.noted, status < 400 { return assert(status == noted, "\(route.id) was noted with \(noted), and answered with \(status)") }
        let record = AuditRecord(
            actor: .init(identity, token: note.token), action: route.id, subject: note.subject, status: status, code: refusal)
        do {
            try await backend.store.audit(record)
        } catch {
            context.logger.error("a request was not audited", metadata: ["action": "\(route.id)", "error": "\(error)"])
        }
    }

    /// Who asks for what is open to everybody; owns nothing.
    private static let nobody: Name = {
        do { return try Name("nobody") } catch { preconditionFailure("\(error)") }
    }()

    /// A page of another site can make a browser send requests here, under a name of its own that resolves to 127.0.0.1.
    static func checkHost(_ request: Request) throws {
        let authority = request.head.authority ?? ""
        let host: Substring
        if authority.hasPrefix("[") {
            host = authority.prefix { $0 != "]" }.dropFirst()
        } else {
            host = authority.prefix { $0 != ":" }
        }
        guard ["localhost", "127.0.0.1", "::1"].contains(host.lowercased()) else {
            throw KilnError(
                .notAllowed, "The host “\(authority.printable(limit: 80))” is not served here.",
                hint: "Use http://127.0.0.1 or http://localhost."
            )
        }
    }

    private func answer(to error: any Error, _ context: KilnRequestContext) -> Response {
        let (problem, unexpected) = ProblemAnswer.make(error)
        if unexpected { context.logger.error("request failed", metadata: ["error": "\(error)"]) }
        return problem
    }

    /// One line a request, without its query or headers: they may hold what nobody else should read.
    private func log(_ request: Request, _ response: Response, _ route: String, _ context: KilnRequestContext, _ seconds: Double) {
        let level: Logger.Level = response.status.code >= 500 ? .warning : request.method == .get || request.method == .head ? .debug : .info
        context.logger.log(
            level: level, "\(request.method.rawValue) \(request.uri.path.printable())",
            metadata: [
                "status": "\(response.status.code)", "ms": "\(Int(seconds * 1000))", "owner": "\(context.identity?.owner.value ?? "-")",
                "route": "\(route)",
            ]
        )
    }
}
