public import KilnModel
internal import KilnStore
public import WorkspaceEngine

extension Controller {
    /// A workspace as engines know it, for calls that are not about its state.
    /// - Parameter environment: the one it is connected to; nil where the call is not about its connection.
    /// - Throws: `not-found` when its workmachine is gone.
    public func target(of workspace: Workspace, in environment: Environment? = nil) async throws -> WorkspaceTarget {
        guard let workmachine = try await store.resource(Workmachine.self, workspace.spec.workmachine) else {
            throw KilnError(.notFound, "The workmachine of \(workspace.metadata.name) is gone.")
        }
        let connection = environment.map { ConnectionTarget($0, intercepts: workspace.spec.intercepts) }
        return WorkspaceTarget(workspace, on: workmachine, connection: connection)
    }

    public func target(of workmachine: Workmachine) -> WorkmachineTarget { WorkmachineTarget(workmachine) }

    /// The packages of a workspace as engines know them.
    /// - Throws: `not-found` when its workmachine is gone.
    public func packagesTarget(of workspace: Workspace) async throws -> PackagesTarget {
        guard let workmachine = try await store.resource(Workmachine.self, workspace.spec.workmachine) else {
            throw KilnError(.notFound, "The workmachine of \(workspace.metadata.name) is gone.")
        }
        return try await packagesTarget(of: workspace, on: workmachine)
    }

    /// An environment as engines know it, with the values of the secrets that its services use.
    func target(of environment: Environment) async throws -> EnvironmentTarget {
        let used = Set(environment.spec.services.flatMap(\.secrets))
        guard !used.isEmpty else { return EnvironmentTarget(environment) }
        let values = try await store.secretValues(of: environment.metadata.id)
        return EnvironmentTarget(environment, secrets: values.filter { used.contains($0.name) })
    }
}
