import KilnModel
import Testing

@testable import NixPackages

struct VersionChoiceTests {
    private let versions = ["200.1", "20.11.1-2", "20.11.1", "20.9", "18.13.0+dfsg1-1", "1:2.39.5-0"]

    @Test(arguments: [
        ("nodejs", "200.1"), ("nodejs@latest", "200.1"), ("nodejs@20", "20.11.1-2"), ("nodejs@20.11.1", "20.11.1"), ("nodejs@20.11", "20.11.1-2"),
        ("nodejs@20.9", "20.9"), ("nodejs@18", "18.13.0+dfsg1-1"), ("nodejs@18.13.0", "18.13.0+dfsg1-1"), ("nodejs@1:2.39.5", "1:2.39.5-0"),
        ("nodejs@2", nil), ("nodejs@20.1", nil), ("nodejs@20.11.1-2-3", nil),
    ]) func `A wish means the version itself, else the newest that goes on with another part`(wish: String, version: String?) throws {
        let versions = try versions.map { try PackageVersion($0) }
        #expect(try PackageWish(wish).choice(of: versions)?.value == version)
    }

    @Test func `What is not there is answered by what is`() throws {
        let versions = try versions.map { try PackageVersion($0) }
        let error = try PackageWish("nodejs@4").versionNotFound(among: versions)
        #expect(error.code == .versionNotFound && error.message == "There is no nodejs@4.")
        #expect(error.hint == "There is 200.1, 20.11.1-2, 20.11.1, 20.9, 18.13.0+dfsg1-1 and 1 more: kl pkg info nodejs lists all.")
    }
}
