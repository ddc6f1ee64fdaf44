import KilnModel
import Testing

@testable import NixPackages

struct ServiceAnswerTests {
    private static let commit = String(repeating: "0123456789", count: 4)
    private static let path = "/nix/store/\(String(repeating: "0", count: 32))-curl-8.5.0"

    private func answer(revision: String = Self.commit, attribute: String = "curl", outputs: String = "", version: String = "8.5.0") -> [UInt8] {
        Array(
            """
            {"name": "curl", "version": "\(version)", "summary": "transfers", "systems": {"x86_64-linux": {
              "flake_installable": {"ref": {"type": "github", "owner": "NixOS", "repo": "nixpkgs", "rev": "\(revision)"}, "attr_path": "\(attribute)"},
              "last_updated": "2024-01-01T00:00:00Z", "outputs": [\(outputs)]}}}
            """.utf8)
    }

    @Test func `The output with the programs is taken`() throws {
        let outputs = """
            {"name": "man", "path": "\(Self.path)-man", "default": true}, {"name": "bin", "path": "\(Self.path)-bin", "default": true},
            {"name": "out", "path": "\(Self.path)"}, {"name": "dev", "path": "\(Self.path)-dev", "nar": "x"}
            """
        let found = try #require(try ServiceResolution(json: answer(outputs: outputs), system: "x86_64-linux"))
        #expect(found.storePath?.value == Self.path + "-bin" && found.attribute == "curl.bin" && found.revision == Self.commit)
        let single = #"{"name": "out", "path": "\#(Self.path)", "default": true}"#
        let plain = try #require(try ServiceResolution(json: answer(outputs: single), system: "x86_64-linux"))
        #expect(plain.storePath?.value == Self.path && plain.attribute == "curl" && plain.version.value == "8.5.0")
    }

    @Test func `A service that knows no path says none, and none for another system`() throws {
        #expect(try #require(try ServiceResolution(json: answer(), system: "x86_64-linux")).storePath == nil)
        #expect(try ServiceResolution(json: answer(), system: "aarch64-linux") == nil)
    }

    @Test func `A hostile answer is not believed`() throws {
        for bad in [
            answer(revision: "$(reboot)"), answer(revision: "../../etc"), answer(attribute: "curl; x"), answer(attribute: "..\\\"x"),
            answer(attribute: "a..b"), answer(version: "$(x)"), answer(revision: String(Self.commit.dropLast())), Array("<html>".utf8), [],
        ] {
            let error = #expect(throws: KilnError.self) { try ServiceResolution(json: bad, system: "x86_64-linux") }
            #expect(error?.code == .indexUnusable)
        }
        let shadow = #"{"name": "out", "path": "/etc/shadow", "default": true}"#
        #expect(try ServiceResolution(json: answer(outputs: shadow), system: "x86_64-linux")?.storePath == nil)
    }

    @Test func `Versions are those for the system`() throws {
        let json = """
            {"name": "nodejs", "summary": "evented I/O", "releases": [
              {"version": "22.1.0", "platforms": [{"system": "aarch64-darwin", "attribute_path": "nodejs_22"}]},
              {"version": "20.11.1", "platforms": [{"system": "aarch64-darwin"}, {"system": "x86_64-linux", "attribute_path": "nodejs_20"}]},
              {"version": "$(x)", "platforms": [{"system": "x86_64-linux", "attribute_path": "nodejs"}]}, {"version": "18.0.0"}]}
            """
        let package = try ServicePackage(json: Array(json.utf8), system: "x86_64-linux")
        #expect(try package.summary == "evented I/O" && package.releases == [.init(version: PackageVersion("20.11.1"), attribute: "nodejs_20")])
    }
}
