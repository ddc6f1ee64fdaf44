internal import HTTPTypes
internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import NIOCore
internal import NIOHTTP1

/// Errors as `application/problem+json` (RFC 9457).
enum ProblemAnswer {
    /// - Returns: the answer, and whether the error should have been none of ours to make: it is worth a line in the log.
    static func make(_ error: any Error) -> (Response, unexpected: Bool) {
        switch error {
        case let error as KilnError:
            return (response(error, status(error)), error.code == .internalError)
        case let error as MethodNotAllowed:
            let allowed = error.allowed.map(\.rawValue).joined(separator: ", ")
            let problem = KilnError(.methodNotAllowed, "This path answers \(allowed) only.")
            return (response(problem, .methodNotAllowed, [.allow: allowed]), false)
        case let error as HTTPError where error.status == .notFound:
            return (response(KilnError(.notFound, "There is nothing at this path.", hint: "See /api/v1."), .notFound), false)
        case let error as HTTPError where error.status == .contentTooLarge:
            return (response(.tooLarge(limit: RequestJSON.limit), .contentTooLarge), false)
        case let error as HTTPError:
            return (response(KilnError(.invalidValue, error.body ?? "The request is not valid."), error.status), false)
        case is CancellationError:
            return (response(KilnError(.engineUnavailable, "kilnd is stopping."), .serviceUnavailable), false)
        default:
            return (response(KilnError(.internalError, "Something went wrong in kilnd.", hint: "See its log."), .internalServerError), true)
        }
    }

    private static func status(_ error: KilnError) -> HTTPResponse.Status {
        switch error.code {
        case .tooLargeCode: .contentTooLarge
        case KilnError.eventsExpiredCode: .gone
        default: HTTPResponse.Status(code: error.code.category.httpStatus)
        }
    }

    private static func response(_ error: KilnError, _ status: HTTPResponse.Status, _ extra: HTTPFields = [:]) -> Response {
        var problem = Problem(error)
        problem.status = status.code
        var headers = extra
        headers[.contentType] = "application/problem+json"
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        guard let text = try? RequestJSON.text(problem) else { preconditionFailure("a problem is text and numbers") }
        let body = ByteBuffer(string: text)
        headers[.contentLength] = String(body.readableBytes)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }
}

extension KilnError.Code {
    static let methodNotAllowed = Self("method-not-allowed", .usage)
    static let tooLargeCode = Self("too-large", .usage)
}

extension KilnError {
    static let eventsExpiredCode = KilnError.eventsExpired.code

    static let unauthenticated = KilnError(
        .unauthenticated, "The request has no bearer token.", hint: "Make one with: kilnd token create --owner NAME"
    )
    static let invalidToken = KilnError(
        .unauthenticated, "The token is unknown or was revoked.", hint: "Make one with: kilnd token create --owner NAME"
    )

    static func tooLarge(limit: Int) -> KilnError {
        KilnError(.tooLargeCode, "The request's body has more than \(limit) bytes.")
    }
}
