import KilnModel

/// The directories and links that show several packages as one tree. Pure: trees of entries in, a tree of links out.
///
/// A directory that only one package has is linked whole; one that several have is made, and its entries are merged. Where two have the same
/// file, the earlier one shows it.
struct ViewPlan: Sendable, Equatable {
    struct Source: Sendable, Equatable {
        var name: PackageName
        var storePath: StorePath
    }

    /// Relative to the view, parents first; the view itself left out.
    private(set) var directories: [String] = []
    /// What each link, relative to the view, leads to.
    private(set) var links: [String: String] = [:]
    /// For each source, in order: its files that another one shows instead.
    private(set) var shadowed: [[InstalledPackage.Shadowed]]
    /// For each source, in order: its programs that the view shows.
    private(set) var programs: [[String]]

    /// At the top of a package: about it, not of it (nixpkgs' `buildEnv` leaves out the same).
    private static let ignored: Set = ["nix-support", "manifest.nix", "manifest.json", "propagated-build-inputs"]
    /// Written by each package that has pages there, for itself alone.
    private static let ignoredPaths: Set = ["share/info/dir", "share/mime/mime.cache", "share/applications/mimeinfo.cache"]
    /// Programs that packages bring for their own programs to call (`NEEDED` of `nix/debian/builder/exposure.py`). Whose copy it is does not matter.
    static let needed = "libexec/needed"
    /// The most files named as hidden, for each package: beyond it, two packages are simply the same.
    static let shadowLimit = 100

    /// - Parameter sources: earlier ones win.
    init(_ sources: [Source], reader: some TreeReader) throws {
        shadowed = sources.map { _ in [] }
        programs = sources.map { _ in [] }
        let roots = sources.indices.map { Contributor(source: $0, path: sources[$0].storePath.value, ancestors: []) }
        try merge(roots, in: "", sources: sources, reader: reader)
    }

    /// A source that has the directory being merged.
    private struct Contributor {
        var source: Int
        /// Of the directory, in the store.
        var path: String
        /// The directories that lead here: a link back to one of them is not followed, or the view would never end.
        var ancestors: [TreeEntry.Identity]
    }

    private typealias Candidate = (contributor: Contributor, entry: TreeEntry)

    private mutating func merge(_ contributors: [Contributor], in folder: String, sources: [Source], reader: some TreeReader) throws {
        var candidates: [String: [Candidate]] = [:]
        for contributor in contributors {
            for entry in try reader.entries(of: contributor.path) {
                if folder.isEmpty, Self.ignored.contains(entry.name) { continue }
                candidates[entry.name, default: []].append((contributor, entry))
            }
        }
        for (name, candidates) in candidates.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if candidates.count > 1, Self.ignoredPaths.contains(path) { continue }
            try place(candidates, at: path, sources: sources, reader: reader)
        }
    }

    private mutating func place(_ candidates: [Candidate], at path: String, sources: [Source], reader: some TreeReader) throws {
        let first = candidates[0]
        let merged = isDirectory(first) ? candidates.filter(isDirectory) : []
        for candidate in candidates.dropFirst() where merged.isEmpty || !isDirectory(candidate) {
            guard candidate.entry.identity != first.entry.identity, !path.hasPrefix("\(Self.needed)/"),
                shadowed[candidate.contributor.source].count < Self.shadowLimit
            else { continue }
            shadowed[candidate.contributor.source].append(.init(path: path, by: sources[first.contributor.source].name))
        }
        if merged.count > 1, Set(merged.map(\.entry.identity)).count > 1 {
            directories.append(path)
            let next = merged.map { candidate in
                Contributor(
                    source: candidate.contributor.source, path: "\(candidate.contributor.path)/\(candidate.entry.name)",
                    ancestors: candidate.contributor.ancestors + [candidate.entry.identity])
            }
            try merge(next, in: path, sources: sources, reader: reader)
        } else {
            links[path] = "\(first.contributor.path)/\(first.entry.name)"
            try notePrograms(first, at: path, reader: reader)
        }
    }

    private func isDirectory(_ candidate: Candidate) -> Bool {
        candidate.entry.kind == .directory && !candidate.contributor.ancestors.contains(candidate.entry.identity)
    }

    /// A program is an executable file right below `bin`; those with a dot in front are what wrappers call.
    private mutating func notePrograms(_ candidate: Candidate, at path: String, reader: some TreeReader) throws {
        func isProgram(_ entry: TreeEntry) -> Bool { entry.kind == .file(isExecutable: true) && !entry.name.hasPrefix(".") }
        let source = candidate.contributor.source
        if path == "bin", isDirectory(candidate) {
            programs[source] += try reader.entries(of: "\(candidate.contributor.path)/bin").filter(isProgram).map(\.name).sorted()
        } else if path.hasPrefix("bin/"), !path.dropFirst(4).contains("/"), isProgram(candidate.entry) {
            programs[source].append(candidate.entry.name)
        }
    }
}
