public import KilnModel

/// Looks packages up in the indexes of several sources at once.
public struct PackageSearch: Sendable {
    /// In the order in which the sources are asked.
    public var indexes: [(source: Name, index: PackageIndex)]

    public init(_ indexes: [(source: Name, index: PackageIndex)]) { self.indexes = indexes }

    /// The best matches first; each name once, from the first source that has it: the one that an add would take.
    /// - Throws: `KilnError` with `index-unusable`.
    public func search(_ query: PackageQuery) throws(KilnError) -> [PackageSummary] {
        var matches: [(rank: PackageIndex.Rank, order: Int, summary: PackageSummary)] = []
        var seen: Set<PackageName> = []
        for (order, place) in indexes.enumerated() {
            for match in try place.index.matches(query) where seen.insert(match.entry.name).inserted {
                let entry = match.entry
                matches.append(
                    (match.rank, order, PackageSummary(name: entry.name, version: entry.version, summary: entry.summary, source: place.source)))
            }
        }
        if indexes.count > 1 { matches.sort { ($0.rank, $0.summary.name, $0.order) < ($1.rank, $1.summary.name, $1.order) } }
        return matches.prefix(query.limit).map(\.summary)
    }

    /// The names nearest to one that no source has, the nearest first.
    /// - Throws: `KilnError` with `index-unusable`.
    public func nearest(to name: PackageName, limit: Int = 3) throws(KilnError) -> [PackageName] {
        var found: Set<PackageIndex.Neighbour> = []
        for place in indexes { found.formUnion(try place.index.neighbours(of: name, limit: limit)) }
        var seen: Set<PackageName> = []
        return Array(found.sorted().map(\.name).filter { seen.insert($0).inserted }.prefix(limit))
    }

    /// What to say of a name that no source has.
    public func notFound(_ name: PackageName) -> KilnError {
        // The error to tell is that of the package, also where an index cannot be read.
        let near = (try? nearest(to: name)) ?? []
        let question = near.isEmpty ? "" : "Did you mean \(near.map(\.value).joined(separator: ", "))? "
        return KilnError(.packageNotFound, "There is no package \(name).", hint: "\(question)kl pkg search \(name) looks further.")
    }
}
