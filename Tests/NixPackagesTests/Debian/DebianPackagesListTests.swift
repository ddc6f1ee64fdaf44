import Testing

@testable import NixPackages

@Suite struct DebianPackagesListTests {
    private let text = """
        Package: jq
        Source: jq-source (1.7)
        Version: 1.7.1-6
        Installed-Size: 123
        Depends: libjq1 (= 1.7.1-6), libc6 (>= 2.34)
        Pre-Depends: dpkg
        Section: utils
        Filename: pool/main/j/jq/jq_1.7.1-6_amd64.deb
        Size: 456
        SHA256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        Description: lightweight\tJSON processor
         with more lines

        Package: broken
        Version: 1


        Package: last
        Version: 2:1.0~rc1-1
        Filename: pool/main/l/last/last_1.0~rc1-1_all.deb
        Size: 1
        SHA256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        """

    private func packages() -> [(package: DebianPackage, summary: String)] {
        var found: [(package: DebianPackage, summary: String)] = []
        var text = text
        text.withUTF8 { bytes in
            DebianPackagesList(UnsafeRawBufferPointer(bytes)).forEach { stanza in
                if let parsed = DebianPackage.parse(stanza, archive: .main) { found.append(parsed) }
            }
        }
        return found
    }

    @Test("Stanzas are read with what they say, and those that lack something are passed over")
    func stanzas() throws {
        let found = packages()
        #expect(found.map(\.package.name) == ["jq", "last"])
        let jq = found[0].package
        #expect(jq.version == DebianVersion("1.7.1-6"))
        #expect(jq.source == "jq-source")
        #expect(jq.depends == "dpkg, libjq1 (= 1.7.1-6), libc6 (>= 2.34)")
        #expect(jq.size == 456)
        #expect(jq.installedSize == 123 << 10)
        #expect(found[0].summary == "lightweight JSON processor")
        #expect(found[1].package.storeName == "last_1.0-rc1-1_all.deb")
        #expect(try found[1].package.presentedVersion.value == "1.0~rc1-1")
    }

    @Test("A package comes back from its line in a catalog, and no other line is one")
    func lines() {
        for (package, _) in packages() { #expect(DebianPackage(line: package.line.dropLast()) == package) }
        #expect(DebianPackage(line: "jq\t1.7") == nil)
        #expect(DebianPackage(line: "") == nil)
    }

    @Test("Files are dealt out so that no connection has much more to fetch than another")
    func shares() throws {
        let sizes = [50, 40, 30, 20, 10, 10, 10, 5, 5].map { $0 << 20 }
        let files = try sizes.map { size in
            let digest = NixHash.hexadecimal(of: "\(size)")
            return (
                DebianRecipe.Archive(
                    path: try NixHash.fixedPath(sha256: digest, name: "x"), archive: .main, file: "x", sha256: digest, size: size, installedSize: 0),
                0
            )
        }
        let shares = DebianFetcher.shares(of: files, count: 4)
        #expect(shares.count == 4)
        #expect(shares.map(\.count).reduce(0, +) == files.count)
        #expect(shares.allSatisfy { $0.reduce(0) { $0 + $1.file.size } <= 50 << 20 })
        #expect(DebianFetcher.shares(of: Array(files.suffix(1)), count: 4).count == 1)
    }
}
