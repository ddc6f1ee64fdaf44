import FoundationEssentials
import Glibc
import KilnModel
import KilnStore

/// A directory of its own for each test, gone afterwards.
func withDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = FileManager.default.temporaryDirectory.path + "/kiln-store-\(ResourceID.random())"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer {
        do { try FileManager.default.removeItem(atPath: path) } catch { print("left over: \(path): \(error)") }
    }
    return try await body(path)
}

func withStore<Value>(feedLength: Int = 10_000, _ body: (KilnStore) async throws -> Value) async throws -> Value {
    try await withDirectory { directory in
        let store = try KilnStore(path: "\(directory)/kiln.sqlite", feedLength: feedLength)
        let value = try await body(store)
        try store.close()
        return value
    }
}

let anna = name("anna")
let ben = name("ben")

func name(_ text: String) -> Name {
    do { return try Name(text) } catch { preconditionFailure("\(error)") }
}

extension KilnStore {
    func makeWorkmachine(_ text: String = "local", owner: Name = anna) async throws -> Workmachine {
        try await createWorkmachine(name: name(text), owner: owner)
    }

    func makeWorkspace(_ text: String, on workmachine: Workmachine, owner: Name = anna) async throws -> Workspace {
        try await createWorkspace(
            name: name(text), owner: owner,
            WorkspaceDraft(
                workmachine: workmachine.metadata.id, image: ImageReference("localhost/kiln/workspace"),
                limits: ResourceLimits(milliCPUs: 1000, memory: 1 << 30, pids: 100)
            )
        )
    }

    func makeEnvironment(_ text: String, on workmachine: Workmachine, owner: Name = anna) async throws -> Environment {
        try await createEnvironment(name: name(text), owner: owner, workmachine: workmachine.metadata.id, services: [])
    }

    func delete<R: StoredResource>(_ resource: R) async throws {
        _ = try await requestDeletion(R.self, resource.metadata.id)
        try await finishDeletion(R.self, resource.metadata.id)
    }
}

/// The code of the error that `body` throws; nil when it throws none.
func code(_ body: () async throws -> Void) async throws -> KilnError.Code? {
    do {
        try await body()
        return nil
    } catch let error as KilnError {
        return error.code
    }
}
