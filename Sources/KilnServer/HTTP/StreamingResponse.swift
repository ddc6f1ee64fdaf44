internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import ServiceLifecycle

extension Response {
    /// An answer whose body is written while `produce` makes it, and while the request's body is still coming in. `produce` is cancelled
    /// when the client goes away, and the stream ends when kilnd stops. The connection closes after it.
    static func streaming(
        _ call: Call, _ contentType: String, _ produce: @escaping @Sendable (BodyPipe, RequestBody) async throws -> Void
    ) -> Response {
        let headers: HTTPFields = [.contentType: contentType, .cacheControl: "no-store", .connection: "close"]
        let body = ResponseBody { writer in
            let pipe = BodyPipe()
            try await withTaskCancellationHandler {
                try await withGracefulShutdownHandler {
                    try await call.request.body.consumeWithInboundCloseHandler { requestBody in
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            defer {
                                pipe.abandon()
                                group.cancelAll()
                            }
                            group.addTask {
                                do {
                                    try await produce(pipe, requestBody)
                                    pipe.end()
                                } catch {
                                    pipe.end(error)
                                }
                            }
                            while let bytes = try await pipe.next() { try await writer.write(bytes) }
                        }
                    } onInboundClosed: {
                        pipe.abandon()
                    }
                } onGracefulShutdown: {
                    pipe.end()
                }
            } onCancel: {
                pipe.abandon()
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}
