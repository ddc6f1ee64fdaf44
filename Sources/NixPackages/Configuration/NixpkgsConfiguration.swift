public import KilnModel

/// The Nix packages collection.
public struct NixpkgsConfiguration: Sendable, Hashable {
    public var name: Name
    public var resolver: Resolver
    /// A `packages.json` of a channel, for searching offline; nil: the one of `nixpkgs-unstable`, or what evaluating the channel gives.
    public var index: FileAddress?
    /// Where store paths are fetched from, in this order; what none has is built.
    public var substituters: [BinaryCacheAddress]
    /// Whose signatures on store paths are accepted.
    public var trustedPublicKeys: [SigningKey]
    /// Path of a netrc file (netrc(5)) with the passwords of the substituters.
    public var netrc: String?

    /// Who says which revision of nixpkgs has a version of a package.
    public enum Resolver: Sendable, Hashable {
        /// A search service that answers as Devbox's does. It knows versions of many years.
        /// - archive: where the sources of nixpkgs lie, as `ARCHIVE/COMMIT.tar.gz`; needed only to build what no substituter has.
        case service(FileAddress, archive: FileAddress)
        /// One fixed collection: an archive by URL, or a folder of this host. It has the versions it has.
        case channel(FileAddress)
    }

    /// The ones of the project.
    public enum Defaults {
        public static let service = try! FileAddress("https://search.devbox.sh")
        public static let archive = try! FileAddress("https://github.com/NixOS/nixpkgs/archive")
        public static let index = try! FileAddress("https://channels.nixos.org/nixpkgs-unstable/packages.json.br")
        public static let substituters = [try! BinaryCacheAddress("https://cache.nixos.org")]
        public static let trustedPublicKeys = [try! SigningKey("cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=")]
    }

    public init(
        name: Name, resolver: Resolver = .service(Defaults.service, archive: Defaults.archive), index: FileAddress? = nil,
        substituters: [BinaryCacheAddress] = Defaults.substituters, trustedPublicKeys: [SigningKey] = Defaults.trustedPublicKeys,
        netrc: String? = nil
    ) {
        self.name = name
        self.resolver = resolver
        self.index = index
        self.substituters = substituters
        self.trustedPublicKeys = trustedPublicKeys
        self.netrc = netrc
    }
}

extension NixpkgsConfiguration: Codable {
    private enum Key: String, CodingKey, CaseIterable {
        case name, type, service, archive, channel, index, substituters, trustedPublicKeys, netrc
    }

    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(otherThan: Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        name = try container.decode(Name.self, forKey: .name)
        let service = try container.decodeIfPresent(FileAddress.self, forKey: .service)
        let archive = try container.decodeIfPresent(FileAddress.self, forKey: .archive)
        if let text = try container.decodeIfPresent(String.self, forKey: .channel) {
            guard service == nil, archive == nil else {
                throw DecodingError.dataCorruptedError(
                    forKey: .channel, in: container, debugDescription: "a source has a channel, or a service and an archive, not both.")
            }
            resolver = .channel(try Self.channel(text))
        } else {
            resolver = .service(service ?? Defaults.service, archive: archive ?? Defaults.archive)
        }
        index = try container.decodeIfPresent(FileAddress.self, forKey: .index)
        substituters = try container.decodeIfPresent([BinaryCacheAddress].self, forKey: .substituters) ?? Defaults.substituters
        trustedPublicKeys = try container.decodeIfPresent([SigningKey].self, forKey: .trustedPublicKeys) ?? Defaults.trustedPublicKeys
        netrc = try container.decodeIfPresent(String.self, forKey: .netrc)
    }

    /// An address, or a flake's `github:OWNER/REPOSITORY[/REFERENCE]`, which is an archive of GitHub.
    private static func channel(_ text: String) throws(KilnError) -> FileAddress {
        guard text.hasPrefix("github:") else { return try FileAddress(text) }
        let parts = text.dropFirst("github:".count).split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2 else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 80))” is no flake.", hint: "Write it like github:NixOS/nixpkgs/nixos-25.05.")
        }
        return try FileAddress("https://github.com/\(parts[0])/\(parts[1])/archive/\(parts.count == 3 ? parts[2] : "HEAD").tar.gz")
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        switch resolver {
        case .service(let service, let archive):
            try container.encode(service, forKey: .service)
            try container.encode(archive, forKey: .archive)
        case .channel(let channel): try container.encode(channel, forKey: .channel)
        }
        try container.encodeIfPresent(index, forKey: .index)
        try container.encode(substituters, forKey: .substituters)
        try container.encode(trustedPublicKeys, forKey: .trustedPublicKeys)
        try container.encodeIfPresent(netrc, forKey: .netrc)
    }
}
