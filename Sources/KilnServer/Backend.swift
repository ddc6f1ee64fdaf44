internal import Hummingbird
internal import KilnControl
internal import KilnModel
internal import KilnStore
internal import Logging

/// What the routes work with.
struct Backend: Sendable {
    /// Kiln's version, as the API says it.
    static let version = "0.1.0"

    let store: KilnStore
    let controller: Controller
    let metrics: RequestMetrics
    let configuration: Configuration
    let logger: Logger

    /// The responder for every request, from wherever it comes.
    func responder() -> some HTTPResponder<KilnRequestContext> {
        var table = RouteTable()
        addHealth(to: &table)
        addSession(to: &table)
        addCollections(to: &table)
        addWorkmachines(to: &table)
        addWorkspaces(to: &table)
        addEnvironments(to: &table)
        addApplication(to: &table)
        addCompose(to: &table)
        addContexts(to: &table)
        addEvents(to: &table)
        addLogs(to: &table)
        addReport(to: &table)
        addIntercepts(to: &table)
        addPackages(to: &table)
        addPackageIndex(to: &table)
        addSessions(to: &table)
        addMetrics(to: &table)
        return table.router(Front(backend: self, openPaths: table.openPaths)).buildResponder()
    }
}
