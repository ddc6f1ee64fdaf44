/// A workspace's list of packages and what is done to it. Pure.
extension [LockedPackage] {
    /// The most packages of a workspace.
    public static let maximumPackages = 200

    public func contains(_ name: PackageName) -> Bool { contains { $0.name == name } }

    /// The list with `others`: one whose name is in it takes that one's place, a new one comes last.
    public func adding(_ others: [LockedPackage]) -> [LockedPackage] {
        others.reduce(into: self) { list, package in
            if let index = list.firstIndex(where: { $0.name == package.name }) { list[index] = package } else { list.append(package) }
        }
    }

    /// - Throws: `package-not-found` with those that there are.
    public func removing(_ names: [PackageName]) throws(KilnError) -> [LockedPackage] {
        let missing = names.filter { !contains($0) }
        guard missing.isEmpty else { throw .notInList(missing, of: self) }
        return filter { !names.contains($0.name) }
    }

    /// The list where some packages cannot be had: each as it is in `previous`, or not at all.
    public func falling(back failed: Set<PackageName>, to previous: [LockedPackage]) -> [LockedPackage] {
        compactMap { package in failed.contains(package.name) ? previous.first { $0.name == package.name } : package }
    }

    /// What asks for the newest of each named package that its wish and source allow; of all packages when none is named.
    /// - Throws: `package-not-found` with those that there are.
    public func wishesForUpdate(of names: [PackageName]) throws(KilnError) -> [PackageWish] {
        let missing = names.filter { !contains($0) }
        guard missing.isEmpty else { throw .notInList(missing, of: self) }
        return filter { names.isEmpty || names.contains($0.name) }.map { package in
            PackageWish(name: package.name, version: package.wanted.map { .matching($0) } ?? .latest, source: package.source)
        }
    }
}

extension LockedPackage {
    /// The package as the answer to `wish`, which it remembers.
    public func answering(_ wish: PackageWish) -> LockedPackage {
        var package = self
        if case .matching(let version) = wish.version { package.wanted = version } else { package.wanted = nil }
        return package
    }

    /// Whether it is still what `wish` asks for.
    public func satisfies(_ wish: PackageWish) -> Bool {
        guard name == wish.name, wish.source == nil || wish.source == source else { return false }
        return switch wish.version {
        case .latest: wanted == nil
        case .matching(let version): wanted == version || self.version == version
        }
    }
}

/// How a package of one list differs from that of another.
public struct PackageChange: Sendable, Codable, Hashable {
    public var name: PackageName
    /// nil: it was not there.
    public var from: PackageVersion?
    /// nil: it is not there any more.
    public var to: PackageVersion?

    public init(name: PackageName, from: PackageVersion?, to: PackageVersion?) {
        self.name = name
        self.from = from
        self.to = to
    }

    /// What is different in `new`: what went, in the old order, then what changed or came, in the new one. Another build of the same version
    /// counts.
    public static func between(_ old: [LockedPackage], _ new: [LockedPackage]) -> [PackageChange] {
        let gone = old.filter { !new.contains($0.name) }.map { PackageChange(name: $0.name, from: $0.version, to: nil) }
        return gone
            + new.compactMap { package in
                let before = old.first { $0.name == package.name }
                guard before?.storePath != package.storePath else { return nil }
                return PackageChange(name: package.name, from: before?.version, to: package.version)
            }
    }
}

extension PackageChange: CustomStringConvertible {
    public var description: String {
        switch (from, to) {
        case (let from?, let to?): "\(name) \(from) → \(to)"
        case (nil, let to?): "+\(name) \(to)"
        case (let from?, nil): "-\(name) \(from)"
        case (nil, nil): name.value
        }
    }
}

extension KilnError {
    fileprivate static func notInList(_ missing: [PackageName], of list: [LockedPackage]) -> KilnError {
        let names = missing.map(\.value).joined(separator: ", ")
        let there = list.isEmpty ? "It is empty." : "It has \(list.map(\.name.value).joined(separator: ", "))."
        return KilnError(.packageNotFound, "\(names) \(missing.count == 1 ? "is" : "are") not in the list of packages. \(there)", hint: "kl pkg list")
    }
}
