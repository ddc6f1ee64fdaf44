/// How much of the host packages may use.
public struct PackageLimits: Sendable, Hashable {
    /// Seconds after which a build is given up.
    public var buildSeconds: Int
    /// Mebibytes of memory that a build may use.
    public var buildMemoryMiB: Int
    /// Builds at once.
    public var builds: Int
    /// Downloads at once.
    public var downloads: Int
    /// Mebibytes of the store's disk that stay free: what would leave less is refused before it is fetched.
    public var freeDiskMiB: Int
    /// Seconds after which a collection of garbage stops, with something left for the next.
    public var collectionSeconds: Int

    public init(
        buildSeconds: Int = 3600, buildMemoryMiB: Int = 4096, builds: Int = 2, downloads: Int = 16, freeDiskMiB: Int = 1024,
        collectionSeconds: Int = 60
    ) {
        self.buildSeconds = buildSeconds
        self.buildMemoryMiB = buildMemoryMiB
        self.builds = builds
        self.downloads = downloads
        self.freeDiskMiB = freeDiskMiB
        self.collectionSeconds = collectionSeconds
    }
}

extension PackageLimits: Codable {
    private enum Key: String, CodingKey, CaseIterable { case buildSeconds, buildMemoryMiB, builds, downloads, freeDiskMiB, collectionSeconds }

    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(otherThan: Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        func number(_ key: Key, in range: ClosedRange<Int>, else standard: Int) throws -> Int {
            guard let value = try container.decodeIfPresent(Int.self, forKey: key) else { return standard }
            guard range.contains(value) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: "\(value) is not from \(range.lowerBound) to \(range.upperBound).")
            }
            return value
        }
        let standard = PackageLimits()
        buildSeconds = try number(.buildSeconds, in: 10...86_400, else: standard.buildSeconds)
        buildMemoryMiB = try number(.buildMemoryMiB, in: 64...1_048_576, else: standard.buildMemoryMiB)
        builds = try number(.builds, in: 1...64, else: standard.builds)
        downloads = try number(.downloads, in: 1...128, else: standard.downloads)
        freeDiskMiB = try number(.freeDiskMiB, in: 0...1_048_576, else: standard.freeDiskMiB)
        collectionSeconds = try number(.collectionSeconds, in: 1...3600, else: standard.collectionSeconds)
    }
}
