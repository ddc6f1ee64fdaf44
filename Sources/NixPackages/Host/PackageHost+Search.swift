public import KilnModel

extension PackageHost {
    /// Best matches first. Asks the indexes on disk alone; a source whose index cannot be had is left out, unless none can.
    public func search(_ query: PackageQuery) async throws -> [PackageSummary] { try await searchable().search(query) }

    /// What the sources know of a package.
    /// - Throws: `package-not-found`, with the nearest names in the hint.
    public func details(of package: PackageName) async throws -> PackageDetails {
        let search = try await searchable()
        var releases: [PackageDetails.Release] = []
        for source in sources { releases += try await source.releases(of: package) }
        guard !releases.isEmpty else { throw search.notFound(package) }
        var summary: String?
        for place in search.indexes where summary == nil { summary = try place.index.entry(named: package)?.summary }
        return PackageDetails(name: package, summary: summary ?? "", releases: releases)
    }

    /// Brings the indexes of all sources up to date where that is due. One that cannot stays as it is.
    public func refresh(failed: @escaping @Sendable (Name, KilnError) -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            for source in sources {
                group.addTask {
                    do { try await source.refresh() } catch { failed(source.name, KilnError(packageFailure: error)) }
                }
            }
        }
    }

    /// The indexes that can be had now.
    func searchable() async throws -> PackageSearch {
        guard !sources.isEmpty else { throw noSource(nil) }
        var indexes: [(source: Name, index: PackageIndex)] = []
        var problem: KilnError?
        for source in sources {
            do { indexes.append((source.name, try await source.index())) } catch { problem = problem ?? KilnError(packageFailure: error) }
        }
        if indexes.isEmpty, let problem { throw problem }
        return PackageSearch(indexes)
    }
}
