public import KilnModel

extension ImageReference {
    /// The full name: a registry's, as Compose users mean it. `postgres:16` is `docker.io/library/postgres:16`, `team/api` is
    /// `docker.io/team/api`; a first part with a dot or colon, or `localhost`, is a registry already.
    public var qualified: String {
        guard let slash = value.firstIndex(of: "/") else { return "docker.io/library/\(value)" }
        let first = value[..<slash]
        return first == "localhost" || first.contains(".") || first.contains(":") ? value : "docker.io/\(value)"
    }
}
