import KilnModel

extension PackageHost {
    /// Refuses what would fill the disk before anything of it is fetched.
    /// - Throws: `disk-full`, with what is needed, what there is, and what collecting garbage would free.
    func checkSpace(for packages: [LockedPackage]) async throws {
        var needed = 0
        for source in sources {
            let own = packages.filter { $0.source == source.name }
            guard !own.isEmpty else { continue }
            do {
                needed += try await source.cost(of: own)?.disk ?? 0
            } catch is KilnError {
                // The source says it again when it makes them: of the packages that it is about, while those of others are added.
            }
        }
        let free = try store.freeSpace()
        let reserve = configuration.limits.freeDiskMiB << 20
        guard free - needed < reserve else { return }
        let names = packages.map(\.name.value).joined(separator: ", ")
        let collectable = try await collectable()
        throw KilnError(
            .diskFull,
            "The disk of the store is too full for \(names): \(Self.text(needed)) needed, \(Self.text(max(0, free - reserve))) to be had (\(Self.text(free)) free, of which \(Self.text(reserve)) stay free).",
            hint: "kl pkg gc would free \(Self.text(collectable)).")
    }

    /// Bytes that collecting garbage now would free.
    func collectable() async throws -> Int {
        let garbage = try await store.garbage()
        guard !garbage.isEmpty else { return 0 }
        let graph = try await store.graph()
        return garbage.reduce(0) { $0 + (graph.nodes[$1]?.size ?? 0) }
    }

    private static func text(_ bytes: Int) -> String {
        bytes < 1 << 30 ? "\((bytes + (1 << 20) - 1) >> 20) MiB" : "\(bytes >> 30).\((bytes >> 20) % 1024 * 10 / 1024) GiB"
    }
}
