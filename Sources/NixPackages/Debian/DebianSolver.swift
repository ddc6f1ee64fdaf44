import KilnModel

/// Where a solver looks packages up.
protocol DebianPackageLookup {
    func package(named name: String) -> DebianPackage?
    /// The packages that provide a name, with the version of it that they provide.
    func providers(of name: String) -> [(package: DebianPackage, version: DebianVersion?)]
}

/// Chooses all packages that one needs, of a suite in which each exists in one version. Pure.
struct DebianSolver<Lookup: DebianPackageLookup> {
    struct Chosen: Sendable, Hashable {
        var package: DebianPackage
        /// Names of the chosen packages that it needs by itself.
        var needs: [String]
    }

    private let lookup: Lookup
    private let suite: String
    private var chosen: [String: DebianPackage] = [:]
    private var needs: [String: [String]] = [:]
    private var exclusions = DebianExclusions()
    /// In the order in which they were chosen, so that a choice can be taken back with all that came of it.
    private var trail: [String] = []
    /// Dependencies first.
    private var order: [String] = []
    /// What could not be met at the deepest point: the best reason there is.
    private var obstacle: (depth: Int, text: String)?
    private var depth = 0

    private init(lookup: Lookup, suite: String) {
        self.lookup = lookup
        self.suite = suite
    }

    /// The package and all that it needs, dependencies first.
    /// - Throws: `package-failed` with what is missing.
    static func closure(of package: DebianPackage, in lookup: Lookup, suite: String) throws(KilnError) -> [Chosen] {
        var solver = DebianSolver(lookup: lookup, suite: suite)
        guard solver.add(package) else {
            throw KilnError(
                .packageFailed, "\(package.name) cannot be had from \(suite): \(solver.obstacle?.text ?? "its dependencies contradict each other").",
                hint: "Another version may do: kl pkg info \(package.name) lists them.")
        }
        return solver.order.map { Chosen(package: solver.chosen[$0]!, needs: solver.needs[$0] ?? []) }
    }

    private mutating func add(_ package: DebianPackage) -> Bool {
        if let present = chosen[package.name] { return present.version == package.version }
        if let enemy = exclusions.enemy(of: package) {
            note("\(package.name) and \(enemy) exclude each other")
            return false
        }
        let (trailMark, orderMark) = (trail.count, order.count)
        chosen[package.name] = package
        exclusions.insert(package)
        trail.append(package.name)
        depth += 1
        defer { depth -= 1 }
        let companions = DebianPolicy.companions(of: package.name).map { [DebianRelation(name: $0)] }
        for group in DebianRelation.groups(package.depends) where !meet(group, for: package.name) {
            note("\(package.name) needs \(group.map(\.description).joined(separator: " or ")), which \(suite) does not have")
            takeBack(to: trailMark, orderMark)
            return false
        }
        // A suite may not have one of them.
        for group in companions { _ = meet(group, for: package.name) }
        order.append(package.name)
        return true
    }

    private mutating func takeBack(to trailMark: Int, _ orderMark: Int) {
        for name in trail[trailMark...] {
            if let package = chosen[name] { exclusions.remove(package) }
            chosen[name] = nil
            needs[name] = nil
        }
        trail.removeSubrange(trailMark...)
        order.removeSubrange(orderMark...)
    }

    private mutating func note(_ text: String) {
        if depth > obstacle?.depth ?? -1 { obstacle = (depth, text) }
    }

    private mutating func meet(_ group: [DebianRelation], for dependent: String) -> Bool {
        if group.contains(where: { DebianPolicy.isLeftOut($0.name) || DebianPolicy.isLeftOut($0.name, of: dependent) }) { return true }
        let candidates = group.flatMap(candidates)
        if let present = candidates.first(where: { chosen[$0.name]?.version == $0.version }) {
            needs[dependent, default: []].append(present.name)
            return true
        }
        for candidate in candidates where add(candidate) {
            needs[dependent, default: []].append(candidate.name)
            return true
        }
        return false
    }

    /// The package of that name, then those that provide it, the plainest name first.
    private func candidates(_ relation: DebianRelation) -> [DebianPackage] {
        var found: [DebianPackage] = []
        if let package = lookup.package(named: relation.name), relation.constraint?.allows(package.version) ?? true { found.append(package) }
        let providers = lookup.providers(of: relation.name).filter { provider in
            guard let constraint = relation.constraint else { return true }
            return provider.version.map(constraint.allows) ?? false
        }
        return found + providers.map(\.package).sorted { ($0.name.utf8.count, $0.name) < ($1.name.utf8.count, $1.name) }
    }
}
