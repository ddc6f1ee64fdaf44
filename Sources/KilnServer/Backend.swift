internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore
internal import Logging

/// What the routes work with.
struct Backend: Sendable {
    let store: KilnStore
    let controller: Controller
    let metrics: RequestMetrics
    let configuration: Configuration
    let logger: Logger

    /// The responder for every request, from wherever it comes.
    func responder() -> some HTTPResponder<KilnRequestContext> {
        let table = routes()
        return table.router(Front(backend: self, openPaths: table.openPaths)).buildResponder()
    }

    /// Everything that is served.
    func routes() -> RouteTable {
        var table = RouteTable()
        table.addDescription(
            Routes.description, .init("getDescription", "This document.", answers: .ok(.bytes("application/json", "An OpenAPI 3.1 document."))))
        addHealth(to: &table)
        addChecks(to: &table)
        addSession(to: &table)
        addCollections(to: &table)
        addWorkmachines(to: &table)
        addWorkspaces(to: &table)
        addEnvironments(to: &table)
        addApplication(to: &table)
        addVolumes(to: &table)
        addCompose(to: &table)
        addContexts(to: &table)
        addEvents(to: &table)
        addLogs(to: &table)
        addReport(to: &table)
        addIntercepts(to: &table)
        addPackages(to: &table)
        addPackageIndex(to: &table)
        addSettings(to: &table)
        addSharing(to: &table)
        addExport(to: &table)
        addSessions(to: &table)
        addTokens(to: &table)
        addAudit(to: &table)
        addMetrics(to: &table)
        return table
    }
}
