internal import KilnControl
internal import Logging
internal import ServiceLifecycle

/// Lets the controller work with each engine that connects, and serves those who call from inside its workspaces.
struct EngineService<Connections: AsyncSequence & Sendable>: ServiceLifecycle.Service
where Connections.Element: EngineConnection, Connections.Failure == Never {
    let connections: Connections
    let controller: Controller
    let sockets: WorkspaceSockets

    func run() async throws {
        let connections = connections
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await connection in connections {
                    group.addTask { await self.serve(connection) }
                }
                group.cancelAll()
            }
        }
    }

    private func serve(_ connection: Connections.Element) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await controller.serve(connection.engine) }
            group.addTask { await sockets.serve(connection.workspaceConnections) }
            group.addTask { await connection.closed() }
            await group.next()
            group.cancelAll()
        }
    }
}
