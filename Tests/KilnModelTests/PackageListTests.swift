import FoundationEssentials
import KilnModel
import Testing

struct PackageListTests {
    private func package(_ text: String, build: Int = 0, source: String = "debian") throws -> LockedPackage {
        let wish = try PackageWish(text)
        guard case .matching(let version) = wish.version else { throw KilnError(.invalidValue, "A test names the version.") }
        return LockedPackage(
            name: wish.name, version: version, source: try Name(source), revision: "r", attribute: wish.name.value, system: "x86_64-linux",
            storePath: try StorePath("/nix/store/\(String(repeating: "\(build)", count: 32))-\(wish.name)-\(version)"))
    }

    private func list(_ texts: String...) throws -> [LockedPackage] { try texts.map { try package($0) } }

    @Test func `A package takes the place of one of its name, a new one comes last`() throws {
        let list = try list("a@1", "b@1").adding(list("c@1", "a@2"))
        #expect(list.map { "\($0.name)@\($0.version)" } == ["a@2", "b@1", "c@1"])
    }

    @Test func `What is not there cannot be removed, and the error tells what is`() throws {
        let list = try list("a@1", "b@1", "c@1")
        #expect(try list.removing([PackageName("b")]) == [list[0], list[2]])
        let error = try #require(throws: KilnError.self) { try list.removing([PackageName("x"), PackageName("a"), PackageName("y")]) }
        #expect(error.code == .packageNotFound)
        #expect(error.message == "x, y are not in the list of packages. It has a, b, c.")
    }

    @Test func `What cannot be had is as it was before, or not there at all`() throws {
        let (before, wanted) = (try list("a@1", "b@1"), try list("a@2", "b@2", "c@1", "d@1"))
        let shown = wanted.falling(back: [try PackageName("a"), try PackageName("c")], to: before)
        #expect(shown.map { "\($0.name)@\($0.version)" } == ["a@1", "b@2", "d@1"])
    }

    @Test func `An update stays within what was asked for, and with the source`() throws {
        let node = try package("nodejs@20.1").answering(PackageWish("nodejs@20"))
        let jq = try package("jq@1.7").answering(PackageWish("jq"))
        let wishes = try [node, jq].wishesForUpdate(of: [])
        #expect(wishes.map(\.description) == ["nodejs@20", "jq"])
        #expect(wishes.allSatisfy { $0.source?.value == "debian" })
        #expect(try [node, jq].wishesForUpdate(of: [jq.name]).count == 1)
        #expect(throws: KilnError.self) { try [node].wishesForUpdate(of: [jq.name]) }
    }

    @Test func `A package satisfies the wish it answers, and its exact version`() throws {
        let node = try package("nodejs@20.1").answering(PackageWish("nodejs@20"))
        for text in ["nodejs@20", "nodejs@20.1"] { #expect(try node.satisfies(PackageWish(text))) }
        for text in ["nodejs", "nodejs@22", "node@20"] { #expect(try !node.satisfies(PackageWish(text))) }
        #expect(try !node.satisfies(PackageWish("nodejs@20", source: Name("nixpkgs"))))
        #expect(try package("jq@1.7").satisfies(PackageWish("jq@latest")))
    }

    @Test func `Changes are what went, what changed, what came, and other builds`() throws {
        let changes = PackageChange.between(
            try list("a@1", "b@1", "c@1"), [try package("c@1", build: 1), try package("b@1"), try package("d@1"), try package("a@2")])
        #expect(changes.map(\.description) == ["c 1 → 1", "+d 1", "a 1 → 2"])
        #expect(PackageChange.between(try list("a@1"), []).map(\.description) == ["-a 1"])
    }

    @Test func `Rolling back again goes further back, past what could not be had`() {
        func generation(_ number: Int, restored: Int? = nil) -> PackageGeneration {
            PackageGeneration(number: number, createdAt: 0, deed: .add, restored: restored, changes: [], packages: [])
        }
        #expect(generation(5).before(passing: []) == 4)
        #expect(generation(6, restored: 4).before(passing: []) == 3)
        #expect(generation(5).before(passing: [4, 3]) == 2)
        #expect(generation(1).before(passing: []) == 0)
        #expect(generation(2, restored: 0).before(passing: []) == 0)
    }

    @Test func `A lock survives being written, and a hostile one is refused`() throws {
        let package = try package("jq@1.7").answering(PackageWish("jq@1"))
        let text = String(decoding: try JSONEncoder().encode(package), as: UTF8.self)
        #expect(try JSONDecoder().decode(LockedPackage.self, from: Data(text.utf8)) == package)
        for (good, bad) in [
            ("\"attribute\":\"jq\"", "\"attribute\":\"-jq\""), ("\"attribute\":\"jq\"", "\"attribute\":\"a b\""),
            ("\"attribute\":\"jq\"", "\"attribute\":\"..\\/x\""), ("\"revision\":\"r\"", "\"revision\":\"\\n\""),
            ("\"name\":\"jq\"", "\"name\":\"$(x)\""), ("x86_64-linux", String(repeating: "x", count: 40)),
        ] {
            let hostile = text.replacing(good, with: bad)
            try #require(hostile != text)
            #expect(throws: (any Error).self) { try JSONDecoder().decode(LockedPackage.self, from: Data(hostile.utf8)) }
        }
    }
}
