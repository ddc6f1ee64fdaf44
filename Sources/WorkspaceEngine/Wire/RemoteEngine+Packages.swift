public import KilnModel
import NIOCore
import Synchronization

extension RemoteEngine {
    public func search(_ query: PackageQuery) async throws -> [PackageSummary] { try await call(.searchPackages, query) }

    public func details(of package: PackageName) async throws -> PackageDetails { try await call(.packageDetails, package) }

    public func resolve(_ wishes: [PackageWish]) async throws -> [PackageResolution] { try await call(.resolvePackages, wishes) }

    public func apply(_ packages: PackagesTarget, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws -> PackagesObservation {
        try await progressing(.applyPackages, packages, progress)
    }

    public func origins(of item: String, in packages: PackagesTarget) async throws -> [PackageOrigin] {
        try await call(.packageOrigins, OriginQuestion(item: item, packages: packages))
    }

    public func usage(of workmachine: WorkmachineTarget) async throws -> PackageUsage { try await call(.packageUsage, workmachine) }

    public func collectGarbage(
        on workmachine: WorkmachineTarget, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> GarbageCollection {
        try await progressing(.collectGarbage, workmachine, progress)
    }

    private func progressing<Outcome: Codable & Sendable>(
        _ verb: EngineVerb, _ value: some Encodable, _ progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> Outcome {
        let message = try WireJSON.encode(value)
        let outcome = Mutex<Outcome?>(nil)
        try await withStream(verb, message: message) { stream in
            try await read(ProgressLine<Outcome>.self, from: stream) { line in
                switch line {
                case .progress(let state): await progress(state)
                case .done(let value): outcome.withLock { $0 = value }
                }
            }
        }
        guard let outcome = outcome.withLock({ $0 }) else {
            throw KilnError(.engineFailed, "kiln-agent ended \(verb.rawValue) without saying what came of it.")
        }
        return outcome
    }
}
