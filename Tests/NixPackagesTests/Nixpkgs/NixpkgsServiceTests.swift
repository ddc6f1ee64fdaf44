import CommandRunner
import FileWork
import FoundationEssentials
import KilnModel
import Synchronization
import Testing

@testable import NixPackages

/// A search service and a binary cache over real HTTP, and real stores.
struct NixpkgsServiceTests {
    private static let commit = String(repeating: "0123456789", count: 4)

    /// Answers like Devbox's service for one package; everything else it does not know.
    private static func service(_ name: String, _ versions: [(version: String, path: StorePath?)])
        -> @Sendable (LocalServer.Request) -> LocalServer.Response
    {
        let resolutions = versions.map { version, path in
            let outputs = path.map { #"{"name": "out", "path": "\#($0)", "default": true}"# } ?? ""
            let answer = """
                {"name": "\(name)", "version": "\(version)", "systems": {"x86_64-linux": {"outputs": [\(outputs)],
                 "flake_installable": {"ref": {"type": "github", "rev": "\(commit)"}, "attr_path": "\(name)"}}}}
                """
            return (version, answer)
        }
        let releases = versions.map { #"{"version": "\#($0.version)", "platforms": [{"system": "x86_64-linux", "attribute_path": "\#(name)"}]}"# }
        let package = #"{"name": "\#(name)", "summary": "a word", "releases": [\#(releases.joined(separator: ", "))]}"#
        return { request in
            if request.target == "/v2/pkg?name=\(name)" { return .text(package) }
            let wanted = request.target.split(separator: "=").last.map(String.init) ?? ""
            guard request.target.hasPrefix("/v2/resolve?name=\(name)&version="),
                let answer = resolutions.first(where: { wanted == "latest" || $0.0 == wanted || $0.0.hasPrefix(wanted + ".") })
            else { return .notFound }
            return .text(answer.1)
        }
    }

    private func source(
        _ playground: StorePlayground, service: String, archive: String = "/nonexistent", cache: String? = nil, keys: [SigningKey] = []
    ) throws -> NixpkgsSource {
        let list = "\(playground.folder)/packages.json"
        try TrustedFiles.replace(list, with: #"{"packages": {"hello": {"pname": "hello", "version": "2.12", "meta": {"description": "a word"}}}}"#)
        let configuration = NixpkgsConfiguration(
            name: try Name("nixpkgs"), resolver: .service(try FileAddress(service), archive: try FileAddress(archive)), index: try FileAddress(list),
            substituters: [try BinaryCacheAddress(cache ?? playground.cache)], trustedPublicKeys: keys)
        return NixpkgsSource(configuration, directory: "\(playground.folder)/nixpkgs", nix: playground.target, system: "x86_64-linux")
    }

    private func realise(_ packages: [LockedPackage], from source: NixpkgsSource, in playground: StorePlayground) async throws {
        try TrustedFiles.makeDirectories("\(playground.folder)/roots", mode: 0o755)
        try await source.realise(packages, root: { "\(playground.folder)/roots/\($0.storePath.baseName)" }, progress: { _ in })
    }

    @Test func `A version is resolved by the service, fetched from a cache by HTTP, and asked for once`() async throws {
        try await StorePlayground.with { playground in
            let key = try await playground.makeKey()
            let hello = try await playground.add("hello", "2.12", printing: "hello from nixpkgs")
            try await playground.upload([hello], secretPath: key.secretPath)
            try await LocalServer.with(LocalServer.files(of: playground.cache)) { cache in
                try await LocalServer.with(Self.service("hello", [("2.12", hello), ("2.10", nil)])) { service in
                    let source = try source(playground, service: service.address, cache: cache.address, keys: [key.publicKey])
                    let (package, download) = try await source.lock(try PackageWish("hello"))
                    #expect(package.storePath == hello && package.version.value == "2.12" && package.revision == Self.commit)
                    #expect(package.attribute == "hello" && download == nil)
                    #expect(try await source.lock(try PackageWish("hello")).package == package)
                    #expect(service.requests.map(\.target) == ["/v2/resolve?name=hello&version=latest"])
                    #expect(try await source.releases(of: try PackageName("hello")).map(\.version.value) == ["2.12", "2.10"])
                    #expect(try await source.index().matches(try PackageQuery(text: "word")).map(\.entry.name.value) == ["hello"])
                    let cost = try #require(try await source.cost(of: [package]))
                    #expect(cost.download >= 0 && cost.disk >= cost.download)
                    try await realise([package], from: source, in: playground)
                    #expect(try await playground.output(of: "hello", in: hello) == "hello from nixpkgs\n")
                    #expect(TrustedFiles.destination("\(playground.folder)/roots/\(hello.baseName)") == hello.value)
                }
            }
        }
    }

    @Test func `What people type is escaped, and a name that nobody knows is answered by the nearest`() async throws {
        try await StorePlayground.with { playground in
            try await LocalServer.with(Self.service("hello", [("2.12", nil)])) { service in
                let source = try source(playground, service: service.address)
                let error = await #expect(throws: KilnError.self) { try await source.lock(try PackageWish("helo+x@1~a:b")) }
                #expect(error?.code == .packageNotFound)
                #expect(service.requests.map(\.target) == ["/v2/resolve?name=helo%2Bx&version=1~a%3Ab", "/v2/pkg?name=helo%2Bx"])
                let near = await #expect(throws: KilnError.self) { try await source.lock(try PackageWish("helo")) }
                #expect(near?.hint?.contains("Did you mean hello?") == true)
                let version = await #expect(throws: KilnError.self) { try await source.lock(try PackageWish("hello@3")) }
                #expect(version?.code == .versionNotFound && version?.hint?.contains("2.12") == true)
            }
        }
    }

    @Test func `Without the service its last answer holds, and what it never said is refused`() async throws {
        try await StorePlayground.with { playground in
            let key = try await playground.makeKey()
            let hello = try await playground.add("hello", "2.12")
            try await playground.upload([hello], secretPath: key.secretPath)
            let address = try await LocalServer.with(Self.service("hello", [("2.12", hello)])) { service in
                let source = try source(playground, service: service.address, keys: [key.publicKey])
                try await realise([try await source.lock(try PackageWish("hello")).package], from: source, in: playground)
                return service.address
            }
            try TrustedFiles.remove(playground.cache)
            let answers = "\(playground.folder)/nixpkgs/answers"
            // Long enough ago that the service would be asked again.
            for name in try TrustedFiles.list(answers) {
                try await playground.runner.succeed("touch", ["--date", "2 hours ago", "\(answers)/\(name)"])
            }
            let offline = try source(playground, service: address)
            let package = try await offline.lock(try PackageWish("hello")).package
            #expect(package.storePath == hello)
            // What the store has needs no cache, either.
            try await realise([package], from: offline, in: playground)
            #expect(try await playground.isValid(hello))
            let error = await #expect(throws: KilnError.self) { try await offline.lock(try PackageWish("hello@2.10")) }
            #expect(error?.code == .indexUnusable && error?.message.contains("does not answer") == true)
        }
    }

    @Test func `A path that another key has signed is refused, not built in its place`() async throws {
        try await StorePlayground.with { playground in
            let (key, stranger) = (try await playground.makeKey(), try await playground.makeKey())
            let hello = try await playground.add("hello", "2.12")
            try await playground.upload([hello], secretPath: stranger.secretPath)
            try await LocalServer.with(Self.service("hello", [("2.12", hello)])) { service in
                let source = try source(playground, service: service.address, keys: [key.publicKey])
                let package = try await source.lock(try PackageWish("hello")).package
                let error = await #expect(throws: KilnError.self) { try await realise([package], from: source, in: playground) }
                #expect(error?.code == .untrustedSignature)
                #expect(try await !playground.isValid(hello))
            }
        }
    }

    @Test func `What no cache has is built from the sources of that commit, in the sandbox`() async throws {
        try await StorePlayground.with { playground in
            try TrustedFiles.makeDirectories(playground.cache, mode: 0o755)
            try TrustedFiles.replace("\(playground.cache)/nix-cache-info", with: "StoreDir: /nix/store\n")
            let archives = try await TinyNixpkgs.archive(commit: Self.commit, in: playground.folder)
            try await LocalServer.with(LocalServer.files(of: archives)) { archive in
                try await LocalServer.with(Self.service("hello", [("2.12", nil)])) { service in
                    let source = try source(playground, service: service.address, archive: archive.address)
                    let package = try await source.lock(try PackageWish("hello@2")).package
                    #expect(package.storePath.value.hasSuffix("-hello-2.12"))
                    try await realise([package], from: source, in: playground)
                    #expect(try await playground.output(of: "hello", in: package.storePath) == "2.12\n")
                    #expect(try TrustedFiles.list("\(playground.folder)/roots").contains(package.storePath.baseName))
                    #expect(archive.requests.allSatisfy { $0.target == "/\(Self.commit).tar.gz" } && !archive.requests.isEmpty)
                }
            }
        }
    }
}
