import FileWork
import FoundationEssentials
import Glibc
import KilnModel

/// The verified copy of a cache's index on this host, and the search index made of it.
actor CacheIndexFile {
    private let configuration: CacheConfiguration
    private let address: FileAddress
    private let fetcher: FileFetcher
    private let system: String
    private let directory: String
    /// What the copy at hand is; nil while nobody looked at it yet.
    private var current: Current?
    private var lastAttempt: ContinuousClock.Instant?
    private let attempt = Attempt()

    struct Current: Sendable {
        /// SHA-256 of the index.
        var revision: String
        var time: Int
    }

    /// The most bytes of an index: 60,000 packages take 15 MB.
    private static let limit = 256 << 20

    /// - Parameter directory: of this source alone; root's.
    init(_ configuration: CacheConfiguration, fetcher: FileFetcher, system: String, directory: String) {
        self.configuration = configuration
        self.fetcher = fetcher
        self.system = system
        self.directory = directory
        guard let address = configuration.indexAddress else {
            preconditionFailure("a configuration of a cache names its index")
        }
        self.address = address
    }

    private var copy: String { "\(directory)/kiln-index" }
    private var signature: String { "\(directory)/kiln-index.sig" }
    private var search: String { "\(directory)/index" }

    /// The search index.
    func packages() async throws -> PackageIndex {
        _ = try await load()
        return PackageIndex(path: search)
    }

    /// Runs `body` on the index at hand.
    func read<Result>(_ body: @Sendable (CacheIndex, Current) throws(KilnError) -> Result) async throws -> Result {
        let current = try await load()
        return try MappedFile.read(copy) { text throws(KilnError) in try body(CacheIndex(text), current) }
    }

    /// Fetches the index again, unless that was tried less than `age` ago. Where it cannot be had, the one at hand stays.
    /// - Throws: `index-unusable` when there is none; `untrusted-signature` whenever the cache's signature is not by one of our keys.
    func refresh(ifOlderThan age: Duration) async throws {
        if let lastAttempt, lastAttempt.duration(to: .now) < age { return }
        try await attempt.run(evenAfterFailure: true) { try await self.fetch() }
    }

    private func fetch() async throws {
        lastAttempt = .now
        try TrustedFiles.makeDirectories(directory, mode: 0o755)
        let (newIndex, newSignature) = (copy + ".fetched", signature + ".fetched")
        defer {
            for path in [newIndex, newSignature] { try? TrustedFiles.remove(path) }
        }
        do {
            try await fetcher.fetch(address, to: newIndex, limit: Self.limit, timeout: .seconds(300))
            try await fetcher.fetch(FileAddress(address.value + ".sig"), to: newSignature, limit: 1 << 16)
        } catch let failure as FileFetcher.Failure {
            guard current == nil, (try? verify(index: copy, signature: signature)) == nil else { return }
            throw KilnError(
                .indexUnusable, "The index of the source \(configuration.name) cannot be had: \(failure).",
                hint: "Mend the address in packages.json, or the network.")
        }
        let fetched = try verify(index: newIndex, signature: newSignature)
        // An older one, signed as it may be, would bring back what was withdrawn since.
        if let old = try? current ?? verify(index: copy, signature: signature), old.time > fetched.time { return }
        try install(index: newIndex, signature: newSignature)
        current = fetched
    }

    private func install(index: String, signature newSignature: String) throws {
        try makeSearchIndex(of: index)
        try TrustedFiles.move(newSignature, to: signature)
        try TrustedFiles.move(index, to: copy)
    }

    /// The index at hand, verified once; fetched when there is none.
    private func load() async throws -> Current {
        if let current { return current }
        if let verified = try? verify(index: copy, signature: signature) {
            // The search index is made again where it is missing, or older than the copy.
            try makeSearchIndex(of: copy)
            current = verified
            return verified
        }
        try await attempt.run { try await self.fetch() }
        guard let current else { throw KilnError(.indexUnusable, "The index of the source \(configuration.name) cannot be had.") }
        return current
    }

    private func makeSearchIndex(of index: String) throws {
        let entries = try MappedFile.read(index) { text throws(KilnError) in try CacheIndex(text).newest(for: system) }
        _ = try PackageIndex.write(entries, to: search)
    }

    private func verify(index: String, signature: String) throws(KilnError) -> Current {
        let signatures = String(decoding: try TrustedFiles.read(signature) ?? [], as: UTF8.self)
        return try MappedFile.read(index) { text throws(KilnError) in
            try IndexSignature.verify(text, signatures: signatures, keys: configuration.publicKeys, of: address)
            return Current(revision: text.digest, time: try CacheIndex(text).time)
        }
    }
}
