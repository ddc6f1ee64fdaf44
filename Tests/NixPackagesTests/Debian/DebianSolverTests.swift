import KilnModel
import Testing

@testable import NixPackages

/// A suite in memory.
private struct Suite: DebianPackageLookup {
    var packages: [String: DebianPackage] = [:]

    init(_ packages: [DebianPackage]) { for package in packages { self.packages[package.name] = package } }

    func package(named name: String) -> DebianPackage? { packages[name] }

    func providers(of name: String) -> [(package: DebianPackage, version: DebianVersion?)] {
        packages.values.compactMap { package in
            DebianRelation.groups(package.provides).flatMap { $0 }.first { $0.name == name }.map { (package, $0.constraint?.version) }
        }
    }
}

private func package(_ name: String, _ version: String = "1", depends: String = "", conflicts: String = "", provides: String = "") -> DebianPackage {
    DebianPackage(
        name: name, version: DebianVersion(version), archive: .main, source: name, size: 1, installedSize: 1,
        sha256: String(repeating: "0", count: 64), file: "pool/\(name)_\(version)_amd64.deb", depends: depends, conflicts: conflicts,
        provides: provides)
}

@Suite struct DebianSolverTests {
    private func closure(of name: String, in packages: [DebianPackage]) throws -> [String] {
        let suite = Suite(packages)
        return try DebianSolver.closure(of: #require(suite.package(named: name)), in: suite, suite: "test").map(\.package.name)
    }

    @Test("What a package needs comes before it, each once, also where two need each other")
    func order() throws {
        let found = try closure(
            of: "a", in: [package("a", depends: "b, c"), package("b", depends: "d"), package("c", depends: "d"), package("d", depends: "b")])
        #expect(found == ["d", "b", "c", "a"])
    }

    @Test("The first alternative that can be had is taken, with its version honoured")
    func alternatives() throws {
        let packages = [package("a", depends: "old (>= 2) | new"), package("old", "1"), package("new")]
        #expect(try closure(of: "a", in: packages) == ["new", "a"])
    }

    @Test("An alternative that is there already is taken before another is added")
    func present() throws {
        let packages = [package("a", depends: "c, b | c"), package("b"), package("c")]
        #expect(try closure(of: "a", in: packages) == ["c", "a"])
    }

    @Test("A choice that leads nowhere is taken back with all that came of it")
    func backtracking() throws {
        let packages = [package("a", depends: "b | c"), package("b", depends: "x, missing"), package("c"), package("x")]
        #expect(try closure(of: "a", in: packages) == ["c", "a"])
    }

    @Test("A name that others provide is met by one of them, with a version only when they say which")
    func providers() throws {
        let packages = [
            package("a", depends: "virtual, sized (>= 2)"), package("one", provides: "virtual, sized"), package("another", provides: "sized (= 3)"),
        ]
        #expect(Set(try closure(of: "a", in: packages)) == ["one", "another", "a"])
    }

    @Test("Packages that exclude each other are not chosen together, by name or by what they provide")
    func conflicts() throws {
        let packages = [
            package("a", depends: "b, mta"), package("b", conflicts: "exim"), package("exim", provides: "mta"),
            package("postfix", conflicts: "mta", provides: "mta"),
        ]
        #expect(try closure(of: "a", in: packages) == ["b", "postfix", "a"])
    }

    @Test("What cannot be met is named")
    func unmet() throws {
        let error = #expect(throws: KilnError.self) {
            try closure(of: "a", in: [package("a", depends: "b"), package("b", depends: "c (>= 2) | d"), package("c", "1")])
        }
        #expect(error?.code == .packageFailed)
        #expect(error?.message == "a cannot be had from test: b needs c (>= 2) or d, which test does not have.")
    }

    @Test("What configures a system is left out, and what every program wants is added")
    func policy() throws {
        let packages = [
            package("a", depends: "libc6, debconf (>= 0.5) | debconf-2.0, gcc-14-base (= 14)"), package("libc6"),
            package("libc-bin", depends: "libc6"),
            package("dash"), package("debconf"),
        ]
        #expect(Set(try closure(of: "a", in: packages)) == ["libc6", "libc-bin", "dash", "a"])
    }
}
