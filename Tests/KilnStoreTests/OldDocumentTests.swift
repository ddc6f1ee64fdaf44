import FoundationEssentials
import GRDB
import KilnModel
import KilnStore
import Testing

/// What a Kiln wrote that had times as Unix seconds and alternatives as Swift writes them.
@Suite struct OldDocumentTests {
    private func old(_ environment: Environment) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(environment), as: UTF8.self)
            .replacing(#"{"kind":"reference","reference":"postgres:16"}"#, with: #"{"reference":{"_0":"postgres:16"}}"#)
            .replacing(#""restart":"on-failure:3""#, with: #""restart":{"onFailure":{"maximumRetries":3}}"#)
            .replacing(#""restart":"unless-stopped""#, with: #""restart":{"unlessStopped":{}}"#)
            .replacing(#"{"kind":"secret","secret":"key"}"#, with: #"{"secret":{"_0":"key"}}"#)
            .replacing(#"{"kind":"text","text":"a"}"#, with: #"{"text":{"_0":"a"}}"#)
            .replacing(#""2026-02-03T10:00:00.125000Z""#, with: "1770112800.125")
            .replacing(#""1970-01-01T00:00:00.000000Z""#, with: "0")
    }

    @Test func `are in the form of the API once the store was opened`() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/kiln.sqlite"
            var store = try KilnStore(path: path, now: { 1_770_112_800.125 })
            let machine = try await store.makeWorkmachine()
            var environment = try await store.makeEnvironment("shop", on: machine)
            environment.metadata.deletionRequestedAt = 1_770_112_800.125
            environment.spec.services = [
                Service(
                    name: try Name("since"), addressIndex: 1, image: .reference(try ImageReference("postgres:16")),
                    secretVariables: [try SecretVariable(key: "A", value: SecretTemplate(pieces: [.text("a"), .secret(try SecretName("key"))]))],
                    files: [FileMount(source: .secret(try SecretName("key")), path: try ContainerPath("/key"))],
                    restart: .onFailure(maximumRetries: 3)),
                Service(name: try Name("b"), addressIndex: 2, image: .reference(try ImageReference("postgres:16")), restart: .unlessStopped),
            ]
            // A name that is also a key of a time.
            environment.spec.generations = [try Name("since"): 3]
            environment.status.since = 1_770_112_800.125
            var status = ServiceStatus(name: try Name("since"), phase: .crashLoop, address: AddressPlan.virtual(1), ports: [])
            status.crash = Crash(times: 6, nextTry: 1_770_112_800.125)
            environment.status.services = [status]
            try store.close()

            let text = try old(environment)
            #expect(!text.contains("kind") && !text.contains("2026-"), "\(text)")
            let queue = try DatabaseQueue(path: path)
            try await queue.write { [id = environment.metadata.id.value] db in
                try db.execute(sql: "UPDATE resource SET document = ? WHERE id = ?", arguments: [text, id])
                try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = 'times and kinds as the API has them'")
            }
            try queue.close()

            store = try KilnStore(path: path)
            let document = try #require(try await store.document(.environment, environment.metadata.id))
            #expect(document.json.contains(#""createdAt":"2026-02-03T10:00:00.125000Z""#))
            #expect(!document.json.contains("_0"))
            #expect(try document.resource(Environment.self) == environment)
            // Who followed the changes begins anew.
            #expect(try await code { _ = try await store.changes(after: 0) } == KilnError.eventsExpired.code)
            try store.close()
        }
    }
}
