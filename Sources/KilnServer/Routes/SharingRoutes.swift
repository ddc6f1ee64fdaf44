internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    /// `POST …/share` and `/unshare` of environments.
    func addSharing(to table: inout RouteTable) {
        table.add(
            .post, Routes.action(.environment, "{ref}", .share),
            .init(
                "shareEnvironment", "Let other owners use an environment.", body: .json(ShareEnvironment.self), answers: .accepted(Environment_.self),
                isConditional: true)
        ) { call in
            let (id, version) = try await target(.environment, call, .share)
            let body = try await call.body(ShareEnvironment.self)
            return try .json(status: .accepted, try await call.store.share(id, with: Set(body.with), expecting: version))
        }
        table.add(
            .post, Routes.action(.environment, "{ref}", .unshare),
            .init(
                "unshareEnvironment", "Take that back; their workspaces are disconnected.", body: .json(ShareEnvironment.self),
                answers: .accepted(Environment_.self), isConditional: true)
        ) { call in
            let (id, version) = try await target(.environment, call, .share)
            let body = try await call.body(ShareEnvironment.self)
            return try .json(status: .accepted, try await call.store.unshare(id, from: Set(body.with), expecting: version))
        }
    }
}
