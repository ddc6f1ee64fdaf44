/// A package as somebody asks for it: `NAME[@VERSION]`.
public struct PackageWish: Sendable, Codable, Hashable {
    public enum Version: Sendable, Codable, Hashable {
        /// The newest there is.
        case latest
        /// This very version, else the newest that begins with it at the end of one of its parts: `20` wants 20.11.1, not 200.1.
        case matching(PackageVersion)
    }

    public var name: PackageName
    public var version: Version
    /// The source to ask; nil: the first configured one that has it.
    public var source: Name?

    public init(name: PackageName, version: Version = .latest, source: Name? = nil) {
        self.name = name
        self.version = version
        self.source = source
    }

    /// Parses `NAME[@VERSION]`; `@latest` is no version.
    /// - Throws: `KilnError` with `invalid-name` or `invalid-value`.
    public init(_ text: String, source: Name? = nil) throws(KilnError) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(name: try PackageName(String(parts[0])), source: source)
        guard parts.count == 2, parts[1] != "latest" else { return }
        version = .matching(try PackageVersion(String(parts[1])))
    }
}

extension PackageWish: CustomStringConvertible {
    public var description: String {
        switch version {
        case .latest: name.value
        case .matching(let version): "\(name)@\(version)"
        }
    }
}

/// A package that was resolved once and for all: everything needed to make the same files again, here or on another machine.
public struct LockedPackage: Sendable, Codable, Hashable {
    public var name: PackageName
    public var version: PackageVersion
    /// The configured source it came from.
    public var source: Name
    /// What of the source: a commit of nixpkgs, the digest of an index.
    public var revision: String
    /// How the source calls it: an attribute path, a suite and package.
    public var attribute: String
    /// As Nix calls it: `x86_64-linux`.
    public var system: String
    public var storePath: StorePath
    /// SHA-256 of the path's contents as an archive, as Nix writes it (`sha256:…`); nil while nobody has built it.
    public var hash: String?
    /// The version as it was asked for, which updates stay within; nil: the newest. Sources leave it alone.
    public var wanted: PackageVersion?

    public init(
        name: PackageName, version: PackageVersion, source: Name, revision: String, attribute: String, system: String, storePath: StorePath,
        hash: String? = nil, wanted: PackageVersion? = nil
    ) {
        self.name = name
        self.version = version
        self.source = source
        self.revision = revision
        self.attribute = attribute
        self.system = system
        self.storePath = storePath
        self.hash = hash
        self.wanted = wanted
    }
}

extension LockedPackage {
    /// A lock may come from a file that somebody wrote: its texts are short and printable ASCII, and none is an option or leads upwards.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try container.decode(PackageName.self, forKey: .name), version: try container.decode(PackageVersion.self, forKey: .version),
            source: try container.decode(Name.self, forKey: .source), revision: try Self.text(.revision, container, limit: 256),
            attribute: try Self.text(.attribute, container, limit: 512), system: try Self.text(.system, container, limit: 32),
            storePath: try container.decode(StorePath.self, forKey: .storePath),
            hash: try container.contains(.hash) ? Self.text(.hash, container, limit: 128) : nil,
            wanted: try container.decodeIfPresent(PackageVersion.self, forKey: .wanted))
    }

    private static func text(_ key: CodingKeys, _ container: KeyedDecodingContainer<CodingKeys>, limit: Int) throws -> String {
        let text = try container.decode(String.self, forKey: key)
        guard text.utf8.count <= limit, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), !text.hasPrefix("-"), !text.contains("..") else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 80))” is not the \(key.stringValue) of a locked package.")
        }
        return text
    }
}

/// What became of a wish.
public enum PackageResolution: Sendable, Codable, Hashable {
    /// - download: bytes still to be fetched; 0 when the store has it; nil when nobody knows yet.
    case locked(PackageWish, LockedPackage, download: Int?)
    case failed(PackageWish, KilnError)
}
