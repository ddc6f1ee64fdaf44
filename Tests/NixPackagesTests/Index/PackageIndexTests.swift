import KilnModel
import Testing

@testable import NixPackages

struct PackageIndexTests {
    @Test func `An entry comes back from its line, whatever its summary holds`() throws {
        let entry = PackageIndex.Entry(name: try PackageName("g++-12"), version: try PackageVersion("12.2.0-14+deb12u1"), summary: "a\tb\nc")
        let line = entry.line
        #expect(line == "g++-12\t12.2.0-14+deb12u1\ta b c\n")
        #expect(PackageIndex.Entry(line: line.dropLast()) == .init(name: entry.name, version: entry.version, summary: "a b c"))
    }

    @Test func `Entries are sorted by bytes`() throws {
        let entries = try ["b", "a-b", "a", "B"].map {
            PackageIndex.Entry(name: try PackageName($0), version: try PackageVersion("1"), summary: "")
        }
        #expect(PackageIndex.text(of: entries) == "B\t1\t\na\t1\t\na-b\t1\t\nb\t1\t\n")
    }
}
