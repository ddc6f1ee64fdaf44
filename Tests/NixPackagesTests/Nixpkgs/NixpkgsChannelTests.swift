import FileWork
import FoundationEssentials
import KilnModel
import Testing

@testable import NixPackages

/// A collection in a folder, evaluated and built by Nix.
struct NixpkgsChannelTests {
    private func source(_ playground: StorePlayground, channel: String) throws -> NixpkgsSource {
        let configuration = NixpkgsConfiguration(
            name: try Name("own"), resolver: .channel(try FileAddress(channel)), substituters: [], trustedPublicKeys: [])
        return NixpkgsSource(configuration, directory: "\(playground.folder)/own", nix: playground.target, system: "x86_64-linux")
    }

    private func realise(_ packages: [LockedPackage], from source: NixpkgsSource, in playground: StorePlayground) async throws {
        try TrustedFiles.makeDirectories("\(playground.folder)/roots", mode: 0o755)
        try await source.realise(packages, root: { "\(playground.folder)/roots/\($0.storePath.baseName)" }, progress: { _ in })
    }

    @Test func `A channel is listed, its versions are those of all attributes by the name, and what is added is built`() async throws {
        try await StorePlayground.with { playground in
            let source = try source(playground, channel: try TinyNixpkgs.folder(in: playground.folder))
            try await source.refresh()
            let found = try await source.index().matches(try PackageQuery(text: "hello"))
            #expect(found.map { "\($0.entry.name)@\($0.entry.version)" } == ["hello@2.12", "hello_1@1.8", "hello_1_old@1.10"])
            let releases = try await source.releases(of: try PackageName("hello"))
            #expect(releases.map { "\($0.version) \($0.attribute)" } == ["2.12 hello", "1.10 hello_1_old", "1.8 hello_1"])

            let newest = try await source.lock(try PackageWish("hello")).package
            let older = try await source.lock(try PackageWish("hello@1")).package
            let inner = try await source.lock(try PackageWish("set.inner")).package
            #expect(newest.attribute == "hello" && older.attribute == "hello_1_old" && inner.attribute == "set.inner")
            #expect(older.version.value == "1.10" && older.storePath.value.hasSuffix("-hello-1.10"))
            try await realise([newest, older, inner], from: source, in: playground)
            #expect(try await playground.output(of: "hello", in: older.storePath) == "1.10\n")
            #expect(try await playground.output(of: "inner", in: inner.storePath) == "1\n")

            let error = await #expect(throws: KilnError.self) { try await source.lock(try PackageWish("hello@3")) }
            #expect(error?.code == .versionNotFound && error?.hint?.contains("2.12, 1.10, 1.8") == true)
            let unknown = await #expect(throws: KilnError.self) { try await source.lock(try PackageWish("hallo")) }
            #expect(unknown?.code == .packageNotFound && unknown?.hint?.contains("Did you mean hello") == true)
            for name in ["lib.trim", "set.nothing", "hello.nothing"] {
                let error = await #expect(throws: KilnError.self) { try await source.lock(try PackageWish(name)) }
                #expect(error?.code == .packageNotFound)
            }
        }
    }

    @Test func `A channel that moved on says so instead of giving something else`() async throws {
        try await StorePlayground.with { playground in
            let channel = try TinyNixpkgs.folder(in: playground.folder)
            let source = try source(playground, channel: channel)
            let package = try await source.lock(try PackageWish("hello")).package
            _ = try TinyNixpkgs.folder(in: playground.folder, version: "2.13")
            let error = await #expect(throws: KilnError.self) { try await realise([package], from: source, in: playground) }
            #expect(error?.code == .packageFailed && error?.hint?.contains("kl pkg update hello") == true)
            #expect(try !TrustedFiles.list("\(playground.folder)/roots").contains(package.storePath.baseName))
        }
    }

    @Test func `A channel reads nothing of the host`() async throws {
        try await StorePlayground.with { playground in
            let source = try source(playground, channel: try TinyNixpkgs.folder(in: playground.folder, isNosy: true))
            let error = await #expect(throws: KilnError.self) { try await source.refresh() }
            #expect(error?.code == .indexUnusable && error?.message.contains("restricted mode") == true, "\(String(describing: error))")
        }
    }
}
