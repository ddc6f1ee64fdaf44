/// What to look for in the index.
public struct PackageQuery: Sendable, Codable, Hashable {
    /// Words that must all occur in a name or description, in any case.
    public var text: String
    /// The most results wanted.
    public var limit: Int

    /// - Throws: `KilnError` with `invalid-value` for a text that is empty or over 256 bytes, or a limit not from 1 to 1,000.
    public init(text: String, limit: Int = 50) throws(KilnError) {
        guard (1...256).contains(text.utf8.count), (1...1000).contains(limit) else {
            throw KilnError(.invalidValue, "A search needs a text of 1 to 256 bytes, and a limit of 1 to 1,000.", hint: "kl pkg search json")
        }
        self.text = text
        self.limit = limit
    }
}

/// A package of an index, in one line.
public struct PackageSummary: Sendable, Codable, Hashable {
    public var name: PackageName
    /// The newest.
    public var version: PackageVersion
    public var summary: String
    public var source: Name

    public init(name: PackageName, version: PackageVersion, summary: String, source: Name) {
        self.name = name
        self.version = version
        self.summary = summary
        self.source = source
    }
}

/// All that the indexes know of a package.
public struct PackageDetails: Sendable, Codable, Hashable {
    public struct Release: Sendable, Codable, Hashable {
        public var version: PackageVersion
        public var source: Name
        /// As in `LockedPackage.attribute`.
        public var attribute: String
        /// Bytes; nil when the index does not say.
        public var downloadSize: Int?

        public init(version: PackageVersion, source: Name, attribute: String, downloadSize: Int? = nil) {
            self.version = version
            self.source = source
            self.attribute = attribute
            self.downloadSize = downloadSize
        }
    }

    public var name: PackageName
    public var summary: String
    public var homepage: String?
    /// Newest first, source by source in the configured order.
    public var releases: [Release]

    public init(name: PackageName, summary: String, homepage: String? = nil, releases: [Release]) {
        self.name = name
        self.summary = summary
        self.homepage = homepage
        self.releases = releases
    }
}
