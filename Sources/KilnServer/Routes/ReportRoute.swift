internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    /// `GET …/report` of a workspace: all that `kl status` shows.
    func addReport(to table: inout RouteTable) {
        table.add(
            .get, Routes.action(.workspace, "{ref}", .report),
            .init("reportOnWorkspace", "Everything that kl status shows.", answers: .ok(WorkspaceReport.self))
        ) { call in
            let document = try await resolve(.workspace, call, .report)
            guard let workspace = try await store.resource(Workspace.self, document.id),
                let workmachine = try await store.resource(Workmachine.self, workspace.spec.workmachine)
            else { throw KilnError.noSuch(.workspace, document.name.value) }
            var environment: Environment_?
            var intercepts: [InterceptSummary] = []
            if let id = workspace.spec.connection ?? workspace.status.connection?.environment {
                if let document = try await store.document(.environment, id) {
                    let found = try document.resource(Environment_.self)
                    let mayReadValues = Permissions.decide(call.identity, .readValues, document.subject(.environment)) == .allow
                    environment = mayReadValues ? found : found.withoutValues
                }
                intercepts = try await interceptSummaries(in: id)
            }
            return try .json(
                WorkspaceReport(
                    workspace: workspace, workmachine: workmachine.metadata.name, usage: await usage(of: workspace, call),
                    environment: environment, intercepts: intercepts
                )
            )
        }
    }

    /// A report without its numbers is still worth having.
    private func usage(of workspace: Workspace, _ call: Call) async -> WorkspaceUsage? {
        guard workspace.status.phase == .running, let engine = controller.link.engine else { return nil }
        do {
            return try await engine.usage(of: try await controller.target(of: workspace))
        } catch {
            call.logger.warning("the usage of a workspace is not known", metadata: ["id": "\(workspace.metadata.id)", "error": "\(error)"])
            return nil
        }
    }
}
