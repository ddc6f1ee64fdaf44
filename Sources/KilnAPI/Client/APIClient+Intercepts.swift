internal import FoundationEssentials
public import KilnModel

/// The verbs on intercepts.
extension APIClient {
    /// `POST /workspaces/{ref}/intercept`
    public func intercept(_ workspace: Reference, _ request: StartIntercept) async throws -> Workspace {
        try await post(request, to: .intercept, of: workspace)
    }

    /// `POST /workspaces/{ref}/release`
    public func release(_ workspace: Reference, _ request: StopIntercept) async throws -> Workspace {
        try await post(request, to: .release, of: workspace)
    }

    /// `GET /workspaces/{ref}/intercepts`, all pages.
    public func intercepts(of workspace: Reference) async throws -> [InterceptReport] {
        try await all(Routes.action(.workspace, workspace.segment, .intercepts), workspace.query)
    }

    /// `GET /environments/{ref}/intercepts`, all pages.
    public func intercepts(in environment: Reference) async throws -> [InterceptSummary] {
        try await all(Routes.action(.environment, environment.segment, .intercepts), environment.query)
    }

    /// `GET /environments/{ref}/surroundings`
    public func surroundings(of service: Name, in environment: Reference) async throws -> ServiceSurroundings {
        try await call(
            Request(
                method: .GET, path: Routes.action(.environment, environment.segment, .surroundings),
                query: environment.query + [("service", service.value)]
            )
        )
    }

    private func post(_ body: some Encodable, to action: Routes.Action, of workspace: Reference) async throws -> Workspace {
        try await call(
            Request(
                method: .POST, path: Routes.action(.workspace, workspace.segment, action), query: workspace.query, body: .json(Self.encode(body))
            )
        )
    }
}
