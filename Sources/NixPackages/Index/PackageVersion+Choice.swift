public import KilnModel

extension PackageWish {
    /// The version that is meant, of those there are, which come newest first; nil: none of them.
    public func choice(of versions: some Sequence<PackageVersion>) -> PackageVersion? {
        switch version {
        case .latest: return versions.first { _ in true }
        case .matching(let wanted):
            var newest: PackageVersion?
            for version in versions {
                if version == wanted { return version }
                if newest == nil, version.begins(with: wanted) { newest = version }
            }
            return newest
        }
    }

    /// What to say of a version that the package does not have.
    public func versionNotFound(among versions: [PackageVersion]) -> KilnError {
        let named = versions.prefix(5).map(\.value).joined(separator: ", ")
        let more = versions.count > 5 ? " and \(versions.count - 5) more" : ""
        return KilnError(
            .versionNotFound, "There is no \(self).",
            hint: versions.isEmpty ? "kl pkg info \(name) lists what there is." : "There is \(named)\(more): kl pkg info \(name) lists all.")
    }
}

extension PackageVersion {
    /// Whether the text goes on after `prefix` with another part, or ends there.
    func begins(with prefix: PackageVersion) -> Bool {
        guard value.hasPrefix(prefix.value) else { return false }
        return value.utf8.dropFirst(prefix.value.utf8.count).first.map { !$0.isLetterOrDigit } ?? true
    }
}
