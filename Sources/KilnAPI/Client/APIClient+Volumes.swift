public import KilnModel

/// The verbs on volumes without an environment.
extension APIClient {
    /// `GET /volumes`, all pages.
    public func keptVolumes(of owner: Name? = nil) async throws -> [VolumesInfo] { try await all(Routes.volumes, Self.query(owner)) }

    /// `DELETE /volumes/{name}`
    public func deleteVolumes(of environment: QualifiedName) async throws {
        try await call(Request(method: .DELETE, path: "\(Routes.volumes)/\(environment.name)", query: Self.query(environment.owner)))
    }

    private static func query(_ owner: Name?) -> [(String, String)] { owner.map { [("owner", $0.value)] } ?? [] }
}
