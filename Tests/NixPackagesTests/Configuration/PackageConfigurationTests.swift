import FoundationEssentials
import KilnModel
import Testing

@testable import NixPackages

struct PackageConfigurationTests {
    private static let key = "packages.example.com-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    private func parse(_ json: String) throws -> PackageConfiguration { try PackageConfiguration(json: json.utf8, path: "packages.json") }

    private func refusal(of json: String) -> String? {
        do {
            _ = try parse(json)
            return nil
        } catch { return (error as? KilnError)?.message }
    }

    @Test func `A file with all three sources says all that it says`() throws {
        let configuration = try parse(
            """
            {
              "sources": [
                {"name": "company", "type": "cache", "cache": "/srv/packages/", "publicKeys": ["\(Self.key)"], "netrc": "/etc/netrc"},
                {"name": "nixpkgs", "type": "nixpkgs", "service": "https://search.example.com", "substituters": ["s3://b?region=eu-1"]},
                {"name": "own", "type": "nixpkgs", "channel": "https://nixpkgs.example.com/24.05.tar.gz"},
                {"name": "debian", "type": "debian", "suites": ["bookworm", "trixie"], "components": ["main", "non-free"]}
              ],
              "limits": {"builds": 4}
            }
            """)
        #expect(configuration.sources.map(\.name.value) == ["company", "nixpkgs", "own", "debian"])
        #expect(configuration.limits == PackageLimits(builds: 4))
        guard case .cache(let cache) = configuration.sources[0], case .nixpkgs(let service) = configuration.sources[1],
            case .nixpkgs(let channel) = configuration.sources[2], case .debian(let debian) = configuration.sources[3]
        else {
            Issue.record("not the kinds written")
            return
        }
        #expect(cache.cache.value == "file:///srv/packages" && cache.cache.fileAddress?.path == "/srv/packages")
        #expect(cache.publicKeys.map(\.name) == ["packages.example.com-1"] && cache.publicKeys[0].bytes == Data(0..<32))
        #expect(
            service.resolver == .service(try FileAddress("https://search.example.com"), archive: NixpkgsConfiguration.Defaults.archive))
        #expect(service.substituters.map(\.value) == ["s3://b?region=eu-1"] && service.substituters[0].fileAddress == nil)
        #expect(service.trustedPublicKeys == NixpkgsConfiguration.Defaults.trustedPublicKeys)
        #expect(channel.resolver == .channel(try FileAddress("https://nixpkgs.example.com/24.05.tar.gz")))
        #expect(debian.suites.map(\.value) == ["bookworm", "trixie"] && debian.mirror == nil)
        let again = try parse(String(decoding: JSONEncoder().encode(configuration), as: UTF8.self))
        #expect(again == configuration)
    }

    @Test(arguments: [
        ("{", "packages.json: This is not JSON"),
        ("{}", "packages.json: sources is missing."),
        (#"{"sources": {}}"#, "packages.json: sources is no list."),
        (#"{"sources": [{"name": "a"}]}"#, "packages.json: sources[0].type is missing."),
        (#"{"sources": [{"name": "a", "type": "apt"}]}"#, "“apt” is none of nixpkgs, cache and debian."),
        (#"{"sources": [{"name": "A b", "type": "debian"}]}"#, "“A b” is not a valid name"),
        (#"{"sources": [{"name": "a", "type": "debian", "suits": []}]}"#, "sources[0].suits: there is no such setting; there are components"),
        (#"{"sources": [{"name": "a", "type": "debian"}, {"name": "a", "type": "nixpkgs"}]}"#, "two have the name a."),
        (#"{"sources": [{"name": "a", "type": "debian", "suites": ["../x"]}]}"#, "“../x” is not a suite of Debian."),
        (#"{"sources": [{"name": "a", "type": "debian", "components": ["$(x)"]}]}"#, "“$(x)” is no component of Debian."),
        (#"{"sources": [{"name": "a", "type": "cache", "cache": "/c", "publicKeys": []}]}"#, "a cache needs at least one key."),
        (#"{"sources": [{"name": "a", "type": "cache", "cache": "/c", "publicKeys": ["k:AAAA"]}]}"#, "“k:AAAA” is not the public key"),
        (#"{"sources": [{"name": "a", "type": "cache", "cache": "s3://b", "publicKeys": ["KEY"]}]}"#, "sources[0].index is missing."),
        (#"{"sources": [{"name": "a", "type": "nixpkgs", "channel": "/n", "service": "https://s"}]}"#, "not both."),
        (#"{"sources": [], "limits": {"builds": 0}}"#, "limits.builds: 0 is not from 1 to 64."),
        (#"{"sources": [], "limits": {"builds": "2"}}"#, "limits.builds is no whole number."),
    ]) func `What is wrong with a file is said with its place`(json: String, message: String) throws {
        let said = try #require(refusal(of: json.replacing("KEY", with: Self.key)))
        #expect(said.contains(message), "\(said)")
    }

    @Test func `A host without the file has no configuration`() throws {
        #expect(try PackageConfiguration.read(from: "/nonexistent/packages.json") == nil)
    }
}

struct AddressTests {
    @Test(arguments: [
        "/srv/packages", "file:///srv/packages", "https://packages.example.com", "http://127.0.0.1:8080/a/b",
    ]) func `Files lie on hosts and in folders`(text: String) throws {
        #expect(try FileAddress(text).value == (text.hasPrefix("/") ? "file://" + text : text))
    }

    @Test(arguments: [
        "", "/", "packages", "ftp://host/x", "https://", "https:///path", "file://host/x", "/a/../b", "/a//b", "https://user:secret@host/x",
        "https://host/x?y=z", "https://host/x#y", "https://host/$(x)", "https://host/a b", "https://host/\u{e9}", "--upload-file=/etc/shadow",
        "/srv/a%20b",
    ]) func `Anything else is no address`(text: String) { #expect(throws: KilnError.self) { try FileAddress(text) } }

    @Test(arguments: ["https://cache.example.com", "/srv/cache", "s3://bucket", "s3://bucket?region=eu-1&endpoint=minio.example.com&scheme=http"])
    func `Binary caches lie in buckets, too`(text: String) throws {
        #expect(try BinaryCacheAddress(text).value == (text.hasPrefix("/") ? "file://" + text : text))
    }

    @Test(arguments: [
        "https://cache?trusted=true", "file:///srv/cache?trusted=1", "s3://bucket?trusted=1", "s3://bucket?region=x&want-mass-query=1", "daemon",
        "ssh://host", "local?root=/tmp", "auto", "s3://bucket?",
    ]) func `An address cannot change what is believed`(text: String) { #expect(throws: KilnError.self) { try BinaryCacheAddress(text) } }
}
