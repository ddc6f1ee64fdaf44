import KilnModel
import Testing

@testable import NixPackages

/// Each fetches Debian's lists and packages from the host's mirror, and builds them.
@Suite(.serialized) struct DebianSourceTests {
    @Test("jq comes from Debian, and runs where there is nothing but the store")
    func jq() async throws {
        try await DebianFixture.with { fixture in
            let jq = try await fixture.add("jq")
            #expect(try await fixture.run(["jq", "-c", ".a"], with: [jq], input: #"{"a": [1, "é"]}"#) == "[1,\"é\"]\n")
            let (again, download) = try await fixture.source.lock(try PackageWish("jq@1.7"))
            #expect(again == jq)
            #expect(download == 0)
            #expect(HostFiles.destination("\(fixture.directory)/roots/jq") == jq.storePath.value)
        }
    }
}
