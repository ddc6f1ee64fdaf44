import KilnModel
import Testing

struct PackageTests {
    @Test(arguments: ["jq", "g++-12", "libstdc++6", "nodejs", "python3.11", "Mail_x"])
    func `A package's name is taken as it is`(text: String) throws {
        #expect(try PackageName(text).value == text)
    }

    @Test(arguments: ["", "../x", "a..b", "$(x)", "\";", "-x", "a b", "a/b", "a@b", "јq", String(repeating: "a", count: 129)])
    func `A hostile name is refused`(text: String) {
        #expect(throws: KilnError.self) { try PackageName(text) }
    }

    @Test func `A wish names a version or wants the newest`() throws {
        #expect(try PackageWish("jq") == PackageWish(name: PackageName("jq")))
        #expect(try PackageWish("jq@latest") == PackageWish(name: PackageName("jq")))
        #expect(try PackageWish("nodejs@20") == PackageWish(name: PackageName("nodejs"), version: .matching(PackageVersion("20"))))
        #expect(try PackageWish("nodejs@20").description == "nodejs@20")
        for text in ["nodejs@", "nodejs@$(id)", "@20", "a@b@c", "nodejs@1 2"] {
            #expect(throws: KilnError.self) { try PackageWish(text) }
        }
    }

    @Test func `A store path has a hash and a name, and leads nowhere else`() throws {
        let path = try StorePath("/nix/store/00000000000000000000000000000000-jq-1.7")
        #expect(path.hash == String(repeating: "0", count: 32))
        #expect(path.baseName.hasSuffix("-jq-1.7"))
        for text in [
            "/nix/store", "/nix/store/jq", "/nix/store/0000000000000000000000000000000e-jq", "/nix/store/00000000000000000000000000000000-jq/../x",
            "/nix/store/00000000000000000000000000000000-.jq", "/nix/store/00000000000000000000000000000000-a b",
        ] {
            #expect(throws: KilnError.self) { try StorePath(text) }
        }
    }
}
