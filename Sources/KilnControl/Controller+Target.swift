public import KilnModel
internal import KilnStore
public import WorkspaceEngine

extension Controller {
    /// A workspace as engines know it, for calls that are not about its state.
    /// - Throws: `not-found` when its workmachine is gone.
    public func target(of workspace: Workspace) async throws -> WorkspaceTarget {
        guard let workmachine = try await store.resource(Workmachine.self, workspace.spec.workmachine) else {
            throw KilnError(.notFound, "The workmachine of \(workspace.metadata.name) is gone.")
        }
        return WorkspaceTarget(workspace, on: workmachine, connection: nil)
    }
}
