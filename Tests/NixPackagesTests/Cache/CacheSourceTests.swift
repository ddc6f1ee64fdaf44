import FileWork
import FoundationEssentials
import KilnModel
import Testing

@testable import NixPackages

/// A real cache in a folder, and real stores.
struct CacheSourceTests {
    private func source(_ playground: StorePlayground, keys: [SigningKey]) throws -> CacheSource {
        let configuration = CacheConfiguration(name: try Name("company"), cache: try BinaryCacheAddress(playground.cache), publicKeys: keys)
        return CacheSource(configuration, directory: "\(playground.folder)/source", nix: playground.target, system: "x86_64-linux")
    }

    private func realise(_ packages: [LockedPackage], from source: CacheSource, in playground: StorePlayground) async throws {
        try TrustedFiles.makeDirectories("\(playground.folder)/roots", mode: 0o755)
        try await source.realise(packages, root: { "\(playground.folder)/roots/\($0.storePath.baseName)" }, progress: { _ in })
    }

    @Test func `A package of the cache is found, locked, fetched with what it needs, and kept`() async throws {
        try await StorePlayground.with { playground in
            let key = try await playground.makeKey()
            let library = try await playground.add("library", "2")
            let hello = try await playground.add("hello", "2.12.1", printing: "hello from the cache", needing: [library])
            let older = try await playground.add("hello", "2.10")
            try await playground.upload([hello, older], secretPath: key.secretPath)
            let releases = try [
                playground.release(hello, "hello", "2.12.1"), playground.release(older, "hello", "2.10"),
                playground.release(hello, "hello", "3", system: "aarch64-linux"),
            ]
            try playground.writeIndex(releases, secretPath: key.secretPath)
            let source = try source(playground, keys: [key.publicKey])

            try await source.refresh()
            let found = try await source.index().matches(try PackageQuery(text: "word"))
            #expect(found.map { "\($0.entry.name)@\($0.entry.version)" } == ["hello@2.12.1"])
            #expect(try await source.releases(of: try PackageName("hello")).map(\.version.value) == ["2.12.1", "2.10"])

            let (package, download) = try await source.lock(try PackageWish("hello@2.12"))
            #expect(package.storePath == hello && package.version.value == "2.12.1" && package.hash == "sha256:0" && download == 100)
            #expect(try await source.lock(try PackageWish("hello@2.10")).package.storePath == older)
            #expect(try await source.cost(of: [package]) == PackageCost(download: 100, disk: 300))

            try await realise([package], from: source, in: playground)
            #expect(try await playground.isValid(hello))
            #expect(try await playground.isValid(library))
            #expect(try await !playground.isValid(older))
            #expect(try await playground.output(of: "hello", in: hello) == "hello from the cache\n")
            #expect(TrustedFiles.destination("\(playground.folder)/roots/\(hello.baseName)") == hello.value)
            // Where the cache is gone what is there can still be had.
            try TrustedFiles.remove(playground.cache)
            try await realise([package], from: source, in: playground)
        }
    }

    @Test func `A path that is signed by another key is refused, and nothing of it is kept`() async throws {
        try await StorePlayground.with { playground in
            let (key, stranger) = (try await playground.makeKey(), try await playground.makeKey())
            let hello = try await playground.add("hello", "1")
            let fine = try await playground.add("fine", "1")
            try await playground.upload([hello], secretPath: stranger.secretPath)
            try await playground.upload([fine], secretPath: key.secretPath)
            let releases = try [playground.release(hello, "hello", "1"), playground.release(fine, "fine", "1")]
            try playground.writeIndex(releases, secretPath: key.secretPath)
            let source = try source(playground, keys: [key.publicKey])
            let packages = [try await source.lock(try PackageWish("hello")).package, try await source.lock(try PackageWish("fine")).package]
            let error = await #expect(throws: KilnError.self) { try await realise(packages, from: source, in: playground) }
            #expect(error?.code == .untrustedSignature)
            #expect(error?.message.contains(hello.value) == true, "\(String(describing: error))")
            #expect(try await !playground.isValid(hello))
            // What is as it should be came, and is kept.
            #expect(try await playground.isValid(fine))
            let roots = try TrustedFiles.list("\(playground.folder)/roots")
            #expect(roots.contains(fine.baseName) && !roots.contains(hello.baseName))
        }
    }

    @Test func `An archive that is not what was signed is refused`() async throws {
        try await StorePlayground.with { playground in
            let key = try await playground.makeKey()
            let hello = try await playground.add("hello", "1")
            try await playground.upload([hello], secretPath: key.secretPath)
            let archive = try #require(try TrustedFiles.list("\(playground.cache)/nar").first)
            var bytes = try #require(try TrustedFiles.read("\(playground.cache)/nar/\(archive)"))
            let place = try #require(bytes.firstRange(of: Array("hello".utf8))?.lowerBound)
            bytes[place] ^= 1
            try TrustedFiles.replace("\(playground.cache)/nar/\(archive)", with: bytes)
            try playground.writeIndex([try playground.release(hello, "hello", "1")], secretPath: key.secretPath)
            let source = try source(playground, keys: [key.publicKey])
            let package = try await source.lock(try PackageWish("hello")).package
            let error = await #expect(throws: KilnError.self) { try await realise([package], from: source, in: playground) }
            #expect(error?.code == .packageFailed)
            #expect(try await !playground.isValid(hello))
            #expect(try !TrustedFiles.list("\(playground.folder)/roots").contains(hello.baseName))
        }
    }

    @Test func `An index that nobody we trust has signed is refused, and the one at hand stays`() async throws {
        try await StorePlayground.with { playground in
            let (key, stranger) = (try await playground.makeKey(), try await playground.makeKey())
            let hello = try await playground.add("hello", "1")
            try playground.writeIndex([try playground.release(hello, "hello", "9")], secretPath: stranger.secretPath)
            let first = try source(playground, keys: [key.publicKey])
            let error = await #expect(throws: KilnError.self) { try await first.index() }
            #expect(error?.code == .untrustedSignature)

            try playground.writeIndex([try playground.release(hello, "hello", "1")], secretPath: key.secretPath)
            let second = try source(playground, keys: [key.publicKey])
            #expect(try await second.lock(try PackageWish("hello")).package.version.value == "1")
            try playground.writeIndex([try playground.release(hello, "hello", "9")], secretPath: stranger.secretPath, time: 2)
            let third = try source(playground, keys: [key.publicKey])
            let refusal = await #expect(throws: KilnError.self) { try await third.refresh() }
            #expect(refusal?.code == .untrustedSignature)
            #expect(try await third.lock(try PackageWish("hello")).package.version.value == "1")
        }
    }

    @Test func `What was published a moment ago is found, and an older index does not come back`() async throws {
        try await StorePlayground.with { playground in
            let key = try await playground.makeKey()
            let hello = try await playground.add("hello", "1")
            try playground.writeIndex([try playground.release(hello, "hello", "2")], secretPath: key.secretPath, time: 20)
            let source = try source(playground, keys: [key.publicKey])
            #expect(try await source.lock(try PackageWish("hello")).package.version.value == "2")
            try playground.writeIndex([try playground.release(hello, "hello", "1")], secretPath: key.secretPath, time: 10)
            let again = try self.source(playground, keys: [key.publicKey])
            try await again.refresh()
            #expect(try await again.lock(try PackageWish("hello")).package.version.value == "2")
            try playground.writeIndex([try playground.release(hello, "news", "1")], secretPath: key.secretPath, time: 30)
            let later = try self.source(playground, keys: [key.publicKey])
            #expect(try await later.lock(try PackageWish("news")).package.storePath == hello)
        }
    }

    @Test func `What there is not is answered by what there is`() async throws {
        try await StorePlayground.with { playground in
            let key = try await playground.makeKey()
            let hello = try await playground.add("hello", "1")
            try playground.writeIndex([try playground.release(hello, "hello", "2.12.1")], secretPath: key.secretPath)
            let source = try source(playground, keys: [key.publicKey])
            let package = await #expect(throws: KilnError.self) { try await source.lock(try PackageWish("helo")) }
            #expect(package?.code == .packageNotFound && package?.hint?.contains("Did you mean hello?") == true)
            let version = await #expect(throws: KilnError.self) { try await source.lock(try PackageWish("hello@1")) }
            #expect(version?.code == .versionNotFound && version?.hint?.contains("2.12.1") == true)
            #expect(try await source.releases(of: try PackageName("helo")).isEmpty)
        }
    }

    @Test func `Without the cache the index at hand is used, and without any index that is said`() async throws {
        try await StorePlayground.with { playground in
            let key = try await playground.makeKey()
            let empty = try source(playground, keys: [key.publicKey])
            let error = await #expect(throws: KilnError.self) { try await empty.refresh() }
            #expect(error?.code == .indexUnusable && error?.message.contains("company") == true)
            let hello = try await playground.add("hello", "1")
            try playground.writeIndex([try playground.release(hello, "hello", "1")], secretPath: key.secretPath)
            try await source(playground, keys: [key.publicKey]).refresh()
            try TrustedFiles.remove(playground.cache)
            let offline = try source(playground, keys: [key.publicKey])
            try await offline.refresh()
            #expect(try await offline.lock(try PackageWish("hello")).package.storePath == hello)
        }
    }
}
