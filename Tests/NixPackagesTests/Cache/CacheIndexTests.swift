import FileWork
import FoundationEssentials
import KilnModel
import Testing

@testable import NixPackages

struct CacheIndexTests {
    private func release(_ name: String, _ version: String, system: String = "x86_64-linux", summary: String = "a word") throws -> CacheIndex.Release
    {
        CacheIndex.Release(
            name: try PackageName(name), version: try PackageVersion(version), system: system,
            storePath: try StorePath("\(StorePath.store)/\(String(repeating: "0", count: 32))-\(name)-\(version)"), hash: "sha256:0abc", download: 10,
            disk: 30, summary: summary)
    }

    private func read<Result>(_ text: String, _ body: (CacheIndex) throws -> Result) throws -> Result {
        try Array(text.utf8).withUnsafeBytes { try body(CacheIndex($0)) }
    }

    @Test func `Versions come back for their system, in the order that was written`() throws {
        let releases = [
            try release("jq", "1.7"), try release("nodejs", "22.1"), try release("jq", "1.6"), try release("jq", "1.7", system: "aarch64-linux"),
            try release("a", "1", system: "aarch64-linux"), try release("nodejs", "20.11.1", summary: "evented\tI/O\nfor V8"),
        ]
        try read(CacheIndex.text(of: releases, time: 12)) { index throws in
            let jq = try PackageName("jq")
            #expect(index.time == 12)
            #expect(try index.releases(of: jq, system: "x86_64-linux").map(\.version.value) == ["1.7", "1.6"])
            #expect(try index.releases(of: jq, system: "aarch64-linux") == [releases[3]])
            #expect(try index.releases(of: PackageName("jqp"), system: "x86_64-linux").isEmpty)
            #expect(try index.releases().count == 6)
            let newest = try index.newest(for: "x86_64-linux")
            #expect(newest.map { "\($0.name)@\($0.version)" } == ["jq@1.7", "nodejs@22.1"])
            #expect(try index.releases(of: PackageName("nodejs"), system: "x86_64-linux")[1].summary == "evented I/O for V8")
        }
    }

    @Test(arguments: [
        "", "jq\t1\n", "kiln-index 2 1\n", "kiln-index 1 x\n", "kiln-index 1 1", "kiln-index 1 1\njq\t1.7", "<html>not found</html>\n",
    ]) func `What is no index is refused`(text: String) {
        let error = #expect(throws: KilnError.self) { try read(text) { try $0.releases() } }
        #expect(error?.code == .indexUnusable)
    }

    @Test(arguments: [
        "jq\t1.7\tx86_64-linux\t/etc/shadow\tsha256:0\t1\t1\ttext\n", "../x\t1\tx86_64-linux\t/etc/shadow\tsha256:0\t1\t1\ttext\n",
        "jq\t1.7\n", "jq\t1.7\tx86_64-linux\t/nix/store/00000000000000000000000000000000-jq\tsha256:0\t-1\t1\ttext\n",
    ]) func `A line that is none is refused`(line: String) {
        let error = #expect(throws: KilnError.self) { try read("kiln-index 1 1\n" + line) { try $0.releases() } }
        #expect(error?.code == .indexUnusable)
    }
}

struct IndexSignatureTests {
    /// As `nix-store --generate-binary-cache-key` makes them.
    private func keys() async throws -> (secret: String, publicKey: SigningKey) {
        try await StorePlayground.with { playground in
            let key = try await playground.makeKey("example-1")
            return (String(decoding: try TrustedFiles.read(key.secretPath) ?? [], as: UTF8.self), key.publicKey)
        }
    }

    private func verify(_ text: String, _ signatures: String, _ keys: [SigningKey]) throws {
        let address = try FileAddress("/srv/kiln-index")
        try Array(text.utf8).withUnsafeBytes { try IndexSignature.verify($0, signatures: signatures, keys: keys, of: address) }
    }

    @Test func `Only the index that was signed is accepted, and only by the key that signed it`() async throws {
        let (secret, publicKey) = try await keys()
        let (_, stranger) = try await keys()
        let signature = try IndexSignature.sign(Data("an index".utf8), secretKey: secret)
        try verify("an index", signature, [publicKey])
        try verify("an index", "other-1:AAAA\nnonsense\n\(signature)", [stranger, publicKey])
        for (text, signatures, keys) in [
            ("an Index", signature, [publicKey]), ("an index", "", [publicKey]), ("an index", signature, [stranger]), ("an index", signature, []),
            ("an index", signature.replacing("example-1", with: "example-2"), [publicKey]), ("an index", "example-1:AAAA", [publicKey]),
        ] {
            let error = #expect(throws: KilnError.self) { try verify(text, signatures, keys) }
            #expect(error?.code == .untrustedSignature && error?.message.contains("/srv/kiln-index") == true)
        }
    }

    @Test(arguments: ["", "k", "k:AAAA", "k:\u{0}"]) func `What is no secret key is refused`(text: String) {
        #expect(throws: KilnError.self) { try IndexSignature.sign(Data(), secretKey: text) }
    }
}
