internal import HTTPTypes
internal import Hummingbird
internal import KilnControl
internal import KilnModel

extension Backend {
    /// `HEAD` and `PUT /api/v1/contexts/{digest}`
    func addContexts(to table: inout RouteTable) {
        let path = "/api/v1/contexts/{digest}"
        table.add(
            .head, path,
            .init("hasContext", "Whether a tar was uploaded.", answers: .empty(200, "It is here."), .empty(404, "It is not here."))
        ) { call in
            try authorise(call, .upload, .installation)
            let digest = try ContentDigest(try call.parameters.require("digest"))
            return Response(status: controller.contexts.contains(digest) ? .ok : .notFound)
        }
        table.add(
            .put, path,
            .init(
                "putContext", "Upload the tar of a build context, or of files that services see, under its SHA-256.",
                body: .bytes("application/octet-stream", "The tar."), answers: .empty(201, "It is here now."), .empty(204, "It was here already."))
        ) { call in
            try authorise(call, .upload, .installation)
            let digest = try ContentDigest(try call.parameters.require("digest"))
            if controller.contexts.contains(digest) { return Response(status: .noContent) }
            let limit = configuration.maximumContext
            if let length = call.request.headers[.contentLength].flatMap({ Int($0) }), length > limit { throw KilnError.tooLarge(limit: limit) }
            let upload = try ContextUpload(digest, into: controller.contexts, limit: limit)
            do {
                for try await bytes in call.request.body { try await upload.append(bytes) }
                try await upload.finish()
            } catch {
                upload.discard()
                throw error
            }
            return Response(status: .created)
        }
    }
}
