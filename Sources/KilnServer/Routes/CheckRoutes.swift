internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore
internal import NIOPosix

extension Backend {
    /// `GET /api/v1/checks`: what kilnd finds when it looks at all that it needs.
    func addChecks(to table: inout RouteTable) {
        table.add(
            .get, Routes.checks,
            .init("listChecks", "Everything that kilnd needs, tried for real, and what mends it.", answers: .ok(ResourceList<ServerCheck>.self))
        ) { call in
            try authorise(call, .readMetrics, .installation)
            return try .json(ResourceList(items: await checks()))
        }
    }

    private func checks() async -> [ServerCheck] {
        [
            await check("store") {
                try await store.check()
                return configuration.storePath
            },
            await check("secrets") {
                try store.checkKey()
                return "the key opens what it sealed"
            },
            await check("disk") {
                let directory = configuration.directory
                return try await NIOThreadPool.singleton.runIfActive { try DiskProbe(directory: directory).run() }
            },
            await check("agent") {
                _ = try controller.link.required()
                guard let info = controller.link.info else { return "connected" }
                return "connected: \(info.engine), \(info.runtime), kernel \(info.kernel)"
            },
        ]
    }

    /// What `body` returns is what was found, what it throws is what is wrong.
    private func check(_ name: String, _ body: () async throws -> String) async -> ServerCheck {
        do {
            return ServerCheck(name: name, ok: true, detail: try await body())
        } catch let error as KilnError {
            return ServerCheck(name: name, ok: false, detail: error.message, mend: error.hint)
        } catch {
            return ServerCheck(name: name, ok: false, detail: "\(error)")
        }
    }
}
