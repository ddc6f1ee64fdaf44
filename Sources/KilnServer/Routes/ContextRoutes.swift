internal import HTTPTypes
internal import Hummingbird
internal import KilnControl
internal import KilnModel

extension Backend {
    /// `HEAD` and `PUT /api/v1/contexts/{digest}`
    func addContexts(to table: inout RouteTable) {
        let path = "/api/v1/contexts/{digest}"
        table.add(.head, path) { call in
            try authorise(call, .upload, .installation)
            let digest = try ContentDigest(try call.parameters.require("digest"))
            return Response(status: controller.contexts.contains(digest) ? .ok : .notFound)
        }
        table.add(.put, path) { call in
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
