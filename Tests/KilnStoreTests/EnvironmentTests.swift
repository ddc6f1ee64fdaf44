import KilnModel
import KilnStore
import Testing

@Suite struct EnvironmentTests {
    private func service(_ volume: String? = nil) throws -> Service {
        Service(
            name: name("db"), addressIndex: 1, image: .reference(try ImageReference("postgres:16")),
            volumes: try volume.map { [.init(volume: try VolumeName($0), path: "/data")] } ?? [])
    }

    private func make(_ store: KilnStore, on machine: Workmachine, _ services: Service...) async throws -> Environment {
        try await store.createEnvironment(name: name("shop"), owner: anna, workmachine: machine.metadata.id, services: services, source: "first")
    }

    @Test func `applying replaces services and source together, and only from the version they were worked out for`() async throws {
        try await withStore { store in
            let id = try await make(store, on: store.makeWorkmachine()).metadata.id
            #expect(try await store.source(of: id) == "first")
            let applied = try await store.apply([service()], source: "second", to: id, expecting: 1)
            #expect(applied.metadata.version == 2)
            #expect(applied.spec.services == [try service()])
            #expect(try await code { _ = try await store.apply([], source: "third", to: id, expecting: 1) } == .staleVersion)
            #expect(try await store.source(of: id) == "second")
            #expect(try await store.resource(Environment.self, id)?.spec.services.count == 1)
        }
    }

    @Test func `another source is another version, the same again is none`() async throws {
        try await withStore { store in
            let id = try await make(store, on: store.makeWorkmachine(), service()).metadata.id
            #expect(try await store.apply([service()], source: "first", to: id, expecting: 1).metadata.version == 1)
            #expect(try await store.apply([service()], source: "first", to: id, expecting: 1, again: true).metadata.version == 2)
            #expect(try await store.apply([service()], source: "other", to: id, expecting: 2).metadata.version == 3)
        }
    }

    @Test func `the source goes with the environment`() async throws {
        try await withStore { store in
            let environment = try await make(store, on: store.makeWorkmachine())
            try await store.delete(environment)
            #expect(try await store.source(of: environment.metadata.id) == nil)
        }
    }

    @Test func `volumes are found again by the next environment, even if they were no longer mounted`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let first = try await make(store, on: machine, service("data"))
            _ = try await store.apply([service()], source: "second", to: first.metadata.id, expecting: 1)
            try await store.delete(first)
            let second = try await make(store, on: machine)
            #expect(second.spec.volumeSet == first.spec.volumeSet)
            #expect(second.spec.rangeIndex == first.spec.rangeIndex)
            _ = try await store.requestDeletion(Environment.self, second.metadata.id) { $0.deletesVolumes = true }
            try await store.finishDeletion(Environment.self, second.metadata.id)
            let third = try await make(store, on: machine)
            #expect(third.spec.volumeSet != first.spec.volumeSet)
            try await store.delete(third)
            #expect(try await make(store, on: machine).spec.volumeSet != third.spec.volumeSet)
        }
    }

    @Test func `volumes without an environment are listed, and out of reach while they are deleted`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let first = try await make(store, on: machine, service("data"))
            #expect(try await store.keptVolumes(of: anna).isEmpty)
            #expect(try await code { _ = try await store.condemnVolumes(of: anna, name("shop")) } == .inUse)
            try await store.delete(first)
            #expect(try await store.keptVolumes(of: anna).map(\.name) == [name("shop")])
            #expect(try await store.keptVolumes(of: name("ben")).isEmpty)
            #expect(try await code { _ = try await store.condemnVolumes(of: anna, name("web")) } == .notFound)

            let kept = try await store.condemnVolumes(of: anna, name("shop"))
            #expect(kept.id == first.spec.volumeSet && kept.rangeIndex == first.spec.rangeIndex)
            #expect(try await code { _ = try await make(store, on: machine) } == .nameTaken)
            #expect(try await store.condemnVolumes(of: anna, name("shop")) == kept, "what was cut short is gone on with")
            try await store.forgetVolumes(kept)
            #expect(try await store.keptVolumes(of: anna).isEmpty)
            #expect(try await make(store, on: machine).spec.volumeSet != kept.id)
        }
    }
}
