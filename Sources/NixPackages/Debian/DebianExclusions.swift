/// Which packages the chosen ones exclude, and which exclude them (Conflicts and Breaks). Pure.
struct DebianExclusions {
    private struct Note {
        var by: String
        var constraint: DebianRelation.Constraint?
    }

    private struct Presence {
        var of: String
        var version: DebianVersion?
    }

    /// By the name that is excluded.
    private var excluded: [String: [Note]] = [:]
    /// By the name of a package, or one that it provides.
    private var present: [String: [Presence]] = [:]

    /// A chosen package that cannot be there together with `package`.
    func enemy(of package: DebianPackage) -> String? {
        for (name, version) in Self.names(of: package) {
            for note in excluded[name] ?? [] where Self.hits(note.constraint, version) && note.by != package.name { return note.by }
        }
        for relation in Self.exclusions(of: package) {
            for presence in present[relation.name] ?? [] where Self.hits(relation.constraint, presence.version) && presence.of != package.name {
                return presence.of
            }
        }
        return nil
    }

    mutating func insert(_ package: DebianPackage) {
        for (name, version) in Self.names(of: package) { present[name, default: []].append(Presence(of: package.name, version: version)) }
        for relation in Self.exclusions(of: package) {
            excluded[relation.name, default: []].append(Note(by: package.name, constraint: relation.constraint))
        }
    }

    mutating func remove(_ package: DebianPackage) {
        for (name, _) in Self.names(of: package) { present[name]?.removeAll { $0.of == package.name } }
        for relation in Self.exclusions(of: package) { excluded[relation.name]?.removeAll { $0.by == package.name } }
    }

    /// A constraint hits a name only where that has a version.
    private static func hits(_ constraint: DebianRelation.Constraint?, _ version: DebianVersion?) -> Bool {
        guard let constraint else { return true }
        return version.map(constraint.allows) ?? false
    }

    private static func names(of package: DebianPackage) -> [(String, DebianVersion?)] {
        [(package.name, package.version)] + DebianRelation.groups(package.provides).flatMap { $0 }.map { ($0.name, $0.constraint?.version) }
    }

    private static func exclusions(of package: DebianPackage) -> [DebianRelation] {
        package.conflicts.isEmpty ? [] : DebianRelation.groups(package.conflicts).flatMap { $0 }
    }
}
