internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import WorkspaceEngine

/// What became of wishes for packages.
struct ResolvedPackages: Sendable {
    static let none = ResolvedPackages(packages: [], refused: [], download: nil)

    var packages: [LockedPackage]
    var refused: [PackagesAnswer.Refusal]
    /// Bytes to be fetched; nil when it is not known of all.
    var download: Int?
}

extension Backend {
    /// Has the engine resolve wishes, each by itself.
    /// - Parameter isAtomic: whether one that cannot be resolved keeps all others away.
    /// - Throws: when none can be resolved, what keeps it from being so; `engine-unavailable`; `invalid-value` for too many.
    func resolve(_ wishes: [PackageWish], isAtomic: Bool) async throws -> ResolvedPackages {
        guard !wishes.isEmpty else { return .none }
        guard wishes.count <= [LockedPackage].maximumPackages else {
            throw KilnError(.invalidValue, "\(wishes.count) packages are asked for; \([LockedPackage].maximumPackages) are the most.")
        }
        let resolutions = try await controller.link.required().resolve(wishes)
        var resolved = ResolvedPackages(packages: [], refused: [], download: 0)
        var errors: [KilnError] = []
        for resolution in resolutions {
            switch resolution {
            case .locked(let wish, let package, let download):
                resolved.packages.append(package.answering(wish))
                resolved.download = resolved.download.flatMap { sum in download.map { sum + $0 } }
            case .failed(let wish, let error):
                resolved.refused.append(.init(package: wish.description, problem: Problem(error)))
                errors.append(error)
            }
        }
        if let first = errors.first, isAtomic || resolved.packages.isEmpty {
            guard errors.count > 1 else { throw first }
            // Each with what mends it, a line for each.
            throw KilnError(first.code, errors.map(\.description).joined(separator: "\n"))
        }
        return resolved
    }
}

extension PackageLock {
    /// - Throws: `invalid-value` for a form of another Kiln, or a package that is there twice.
    func checked() throws(KilnError) -> [LockedPackage] {
        guard form == Self.currentForm else {
            throw KilnError(
                .invalidValue, "The lock has form \(form); this Kiln reads form \(Self.currentForm).", hint: "Export it again: kl pkg export")
        }
        var names: Set<PackageName> = []
        for package in packages where !names.insert(package.name).inserted {
            throw KilnError(.invalidValue, "\(package.name) is in the lock twice.", hint: "Remove one of them.")
        }
        return packages
    }
}
