public import KilnModel

/// A signed binary cache with an index of what is in it: packages of one's own, also without any other network.
public struct CacheConfiguration: Sendable, Hashable {
    public var name: Name
    /// The cache.
    public var cache: BinaryCacheAddress
    /// The index and, at the same address with `.sig` behind it, its signature; nil: `kiln-index` in the cache.
    public var index: FileAddress?
    /// Whose signatures are accepted, on the index and on every store path; at least one.
    public var publicKeys: [SigningKey]
    /// Path of a netrc file (netrc(5)) with the cache's password.
    public var netrc: String?

    public init(name: Name, cache: BinaryCacheAddress, index: FileAddress? = nil, publicKeys: [SigningKey], netrc: String? = nil) {
        self.name = name
        self.cache = cache
        self.index = index
        self.publicKeys = publicKeys
        self.netrc = netrc
    }
}

extension CacheConfiguration {
    /// Where the index lies; nil for one that decoding refuses.
    var indexAddress: FileAddress? { index ?? (try? cache.fileAddress?.appending("kiln-index")) }
}

extension CacheConfiguration: Codable {
    private enum Key: String, CodingKey, CaseIterable { case name, type, cache, index, publicKeys, netrc }

    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(otherThan: Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        name = try container.decode(Name.self, forKey: .name)
        cache = try container.decode(BinaryCacheAddress.self, forKey: .cache)
        index = try container.decodeIfPresent(FileAddress.self, forKey: .index)
        publicKeys = try container.decode([SigningKey].self, forKey: .publicKeys)
        netrc = try container.decodeIfPresent(String.self, forKey: .netrc)
        guard !publicKeys.isEmpty else {
            throw DecodingError.dataCorruptedError(forKey: .publicKeys, in: container, debugDescription: "a cache needs at least one key.")
        }
        guard index != nil || cache.fileAddress != nil else {
            throw DecodingError.keyNotFound(
                Key.index, .init(codingPath: container.codingPath, debugDescription: "An s3 cache needs the address of its index."))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(cache, forKey: .cache)
        try container.encodeIfPresent(index, forKey: .index)
        try container.encode(publicKeys, forKey: .publicKeys)
        try container.encodeIfPresent(netrc, forKey: .netrc)
    }
}
