internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel

extension Backend {
    /// `GET /healthz`: it answers. `GET /readyz`: it can do its work.
    func addHealth(to table: inout RouteTable) {
        table.addOpen("/healthz", .init("isAlive", "Whether kilnd answers.", answers: .ok(Health.self))) { .json(text: #"{"status":"ok"}"#) }
        table.addOpen("/readyz", .init("isReady", "Whether kilnd can do its work.", answers: .ok(Health.self))) {
            try await store.check()
            _ = try controller.link.required()
            return .json(text: #"{"status":"ready"}"#)
        }
    }

    /// `GET /api/v1/session`: who is asking.
    func addSession(to table: inout RouteTable) {
        table.add(.get, Routes.session, .init("getSession", "Who is asking.", answers: .ok(SessionInfo.self))) { call in
            switch call.identity {
            case .user(let owner, let admin):
                try .json(SessionInfo(owner: owner, role: admin ? .admin : .owner, workspace: nil, version: KilnVersion.current))
            case .workspace(_, let owner, let name):
                try .json(SessionInfo(owner: owner, role: .workspace, workspace: name, version: KilnVersion.current))
            }
        }
    }
}
