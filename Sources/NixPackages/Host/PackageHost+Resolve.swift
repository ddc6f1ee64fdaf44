public import KilnModel

extension PackageHost {
    /// Resolves each wish by itself, in the order given, asking the sources in theirs.
    public func resolve(_ wishes: [PackageWish]) async -> [PackageResolution] {
        await withTaskGroup(of: (Int, PackageResolution).self) { group in
            for (index, wish) in wishes.enumerated() { group.addTask { (index, await resolve(wish)) } }
            var answers: [PackageResolution?] = wishes.map { _ in nil }
            for await (index, answer) in group { answers[index] = answer }
            return answers.compactMap { $0 }
        }
    }

    private func resolve(_ wish: PackageWish) async -> PackageResolution {
        let asked = sources.filter { wish.source == nil || wish.source == $0.name }
        guard !asked.isEmpty else { return .failed(wish, noSource(wish.source)) }
        // Of all refusals the one that knew most is told: a source that lacks the version says more than one that lacks the package.
        var refusal: KilnError?
        for source in asked {
            do {
                let answer = try await source.lock(wish)
                return .locked(wish, answer.package, download: answer.download)
            } catch {
                let error = KilnError(packageFailure: error)
                if refusal == nil || (refusal?.code == .packageNotFound && error.code != .packageNotFound) { refusal = error }
            }
        }
        // Sources know their own names; the nearest of all are told.
        if refusal?.code == .packageNotFound, let search = try? await searchable() { refusal = search.notFound(wish.name) }
        return .failed(wish, refusal ?? noSource(wish.source))
    }

    func noSource(_ name: Name?) -> KilnError {
        if let name, !sources.isEmpty {
            let known = sources.map(\.name.value).joined(separator: ", ")
            return KilnError(.notFound, "This host has no source of packages called \(name).", hint: "It has \(known).")
        }
        return KilnError(.engineUnavailable, "This host has no source of packages.", hint: "Name one in packages.json, then run make up again.")
    }
}
