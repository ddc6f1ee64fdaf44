import FoundationEssentials
import KilnAPI
import KilnModel
import Testing
import WorkspaceEngine

@Suite(.timeLimit(.minutes(1))) struct VolumeTests {
    private static let compose = "services: {db: {image: x, volumes: [\"data:/data\"]}}\nvolumes: {data: {}}\n"

    @Test func `what a deleted environment left is listed and deleted`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let set = try #require(try await kilnd.apply(Self.compose, status: 201).environment?.spec.volumeSet)
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Running""#) }
            #expect(try await kilnd.send("GET", "/api/v1/volumes").text == #"{"items":[]}"#)
            #expect(try await kilnd.send("DELETE", "/api/v1/volumes/shop").status == 409)
            #expect(try await kilnd.send("DELETE", "/api/v1/environments/shop").status == 202)
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains("not-found") }
            #expect(await kilnd.engine.removedVolumes.isEmpty)

            #expect(try await kilnd.send("GET", "/api/v1/volumes").text.contains(#""environment":"shop""#))
            #expect(try await kilnd.send("GET", "/api/v1/volumes", token: "ben").text == #"{"items":[]}"#)
            #expect(try await kilnd.send("DELETE", "/api/v1/volumes/shop?owner=anna", token: "ben").status == 404)
            #expect(try await kilnd.send("DELETE", "/api/v1/volumes/shop").status == 204)
            #expect(await kilnd.engine.removedVolumes.contains(set))
            #expect(try await kilnd.send("GET", "/api/v1/volumes").text == #"{"items":[]}"#)
            #expect(try await kilnd.send("DELETE", "/api/v1/volumes/shop").status == 404)
        }
    }
}
