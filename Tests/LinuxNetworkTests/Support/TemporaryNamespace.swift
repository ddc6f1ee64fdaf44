@testable import LinuxNetwork

extension NetworkNamespace {
    /// Runs `body` with a namespace of its own, and takes it away again whatever happens.
    static func temporary(_ settings: NamespaceSettings = .container, _ body: (NetworkNamespace) async throws -> Void) async throws {
        let namespace = NetworkNamespace("ktest-\(World.hexadecimal())-tmp")
        try await namespace.create(settings)
        do {
            try await body(namespace)
        } catch {
            try await namespace.delete()
            throw error
        }
        try await namespace.delete()
    }
}
