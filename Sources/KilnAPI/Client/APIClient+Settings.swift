internal import FoundationEssentials
public import KilnModel
internal import NIOCore

/// The verbs on what is set over an environment's files, on sharing, and on taking one elsewhere.
extension APIClient {
    /// `GET /environments/{ref}/settings`
    public func settings(of environment: Reference) async throws -> SettingsReport {
        try await call(Request(method: .GET, path: Routes.action(.environment, environment.segment, .settings), query: environment.query))
    }

    /// `PATCH /environments/{ref}/settings`
    public func change(_ change: ChangeSettings, of environment: Reference) async throws -> EnvironmentApplication {
        let path = Routes.action(.environment, environment.segment, .settings)
        return try await call(Request(method: .PATCH, path: path, query: environment.query, body: .json(Self.encode(change))))
    }

    /// `POST /environments/{ref}/share`
    public func share(_ environment: Reference, with owners: [Name]) async throws -> Environment {
        try await post(ShareEnvironment(with: owners), .share, environment)
    }

    /// `POST /environments/{ref}/unshare`
    public func unshare(_ environment: Reference, with owners: [Name]) async throws -> Environment {
        try await post(ShareEnvironment(with: owners), .unshare, environment)
    }

    /// `GET /environments/{ref}/export`
    public func export(_ environment: Reference, secrets: Bool) async throws -> EnvironmentExport {
        let query = environment.query + (secrets ? [("secrets", "true")] : [])
        return try await call(Request(method: .GET, path: Routes.action(.environment, environment.segment, .export), query: query))
    }

    /// `GET /environments/{ref}/export/{digest}`
    /// - Parameter each: gets the tar piece by piece.
    public func exportTar(_ digest: ContentDigest, of environment: Reference, _ each: ([UInt8]) throws -> Void) async throws {
        let path = "\(Routes.action(.environment, environment.segment, .export))/\(digest)"
        try await exchange(Request(method: .GET, path: path, query: environment.query)) { answer in
            while let piece = try await answer.next() { try each(Array(piece.readableBytesView)) }
        }
    }

    private func post(_ body: some Encodable, _ action: Routes.Action, _ environment: Reference) async throws -> Environment {
        let path = Routes.action(.environment, environment.segment, action)
        return try await call(Request(method: .POST, path: path, query: environment.query, body: .json(Self.encode(body))))
    }
}
