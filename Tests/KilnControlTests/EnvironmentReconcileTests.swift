import FoundationEssentials
import KilnModel
import KilnStore
import Testing
import WorkspaceEngine

@testable import KilnControl

@Suite struct EnvironmentReconcileTests {
    @Test func `an environment runs once its services are healthy`() async throws {
        try await Fixture.with { fixture in
            let machine = try await fixture.makeWorkmachine()
            let shop = try await fixture.makeEnvironment("shop", on: machine, service("db", check: true), service("api", index: 2))
            let id = shop.metadata.id
            let starting = try await fixture.wait(Environment.self, id) { $0?.status.activity != nil }
            #expect(starting?.status.phase == .starting)
            #expect(starting?.status.activity == "waiting for db to be healthy")
            await fixture.engine.set([name("db"): .healthy], of: id)
            try await fixture.wait(Environment.self, id) { $0?.status.phase == .running && $0?.status.activity == nil }
            await fixture.engine.set([name("db"): .unhealthy], of: id)
            let degraded = try await fixture.wait(Environment.self, id) { $0?.status.phase == .degraded }
            #expect(degraded?.status.reason?.code == "service-failed")
        }
    }

    @Test func `stop, start and delete with volumes`() async throws {
        try await Fixture.with { fixture in
            let shop = try await fixture.makeEnvironment("shop", on: fixture.makeWorkmachine(), service("db"))
            let id = shop.metadata.id
            try await fixture.wait(Environment.self, id) { $0?.status.phase == .running }
            _ = try await fixture.store.update(Environment.self, id) { $0.desiredState = .stopped }
            try await fixture.wait(Environment.self, id) { $0?.status.phase == .stopped }
            _ = try await fixture.store.update(Environment.self, id) { $0.desiredState = .running }
            try await fixture.wait(Environment.self, id) { $0?.status.phase == .running }
            _ = try await fixture.store.requestDeletion(Environment.self, id) { $0.deletesVolumes = true }
            try await fixture.gone(shop)
            #expect(await fixture.engine.removedVolumes == [id])
        }
    }

    @Test func `an image is built from its context, once for all that want it`() async throws {
        try await Fixture.with { fixture in
            let build = try await fixture.makeContext()
            let machine = try await fixture.makeWorkmachine()
            await fixture.engine.hold(.build)
            let shop = try await fixture.makeEnvironment("shop", on: machine, service("api", build: build), service("web", index: 2, build: build))
            let building = try await fixture.wait(Environment.self, shop.metadata.id) { $0?.status.activity == "api: STEP 1/2: FROM scratch" }
            #expect(building?.status.phase == .building)
            await fixture.engine.release(.build)
            try await fixture.wait(Environment.self, shop.metadata.id) { $0?.status.phase == .running }
            let again = try await fixture.makeEnvironment("again", on: machine, service("api", build: build))
            try await fixture.wait(Environment.self, again.metadata.id) { $0?.status.phase == .running }
            #expect(await fixture.engine.calls.filter { $0 == .build }.count == 1)
            #expect(await fixture.engine.contextSize(of: build.context) == 300_000)
        }
    }

    @Test func `an environment that runs gets the images of its new services, and goes on meanwhile`() async throws {
        try await Fixture.with { fixture in
            let shop = try await fixture.makeEnvironment("shop", on: fixture.makeWorkmachine(), service("db"))
            let id = shop.metadata.id
            try await fixture.wait(Environment.self, id) { $0?.status.phase == .running }
            await fixture.engine.hold(.build)
            let services = [try service("db"), try await service("api", index: 2, build: fixture.makeContext())]
            let applied = try await fixture.store.apply(services, source: "", to: id, expecting: 1)
            let building = try await fixture.wait(Environment.self, id) { $0?.status.phase == .building }
            #expect(building?.status.services.map(\.phase) == [.running])
            #expect(await fixture.engine.environments[id]?.services.count == 1)
            await fixture.engine.release(.build)
            try await fixture.wait(Environment.self, id) {
                $0?.status.phase == .running && $0?.status.observedVersion == applied.metadata.version && $0?.status.services.count == 2
            }
        }
    }

    @Test func `a build that fails says so, and starting tries again`() async throws {
        try await Fixture.with { fixture in
            let build = try await fixture.makeContext()
            await fixture.engine.fail(.build, with: KilnError(.buildFailed, "STEP 3 failed."))
            let shop = try await fixture.makeEnvironment("shop", on: fixture.makeWorkmachine(), service("api", build: build))
            let failed = try await fixture.wait(Environment.self, shop.metadata.id) { $0?.status.phase == .failed }
            #expect(failed?.status.reason?.code == "build-failed")
            #expect(failed?.status.activity == nil)
            _ = try await fixture.store.update(Environment.self, shop.metadata.id, again: true) { $0.desiredState = .running }
            try await fixture.wait(Environment.self, shop.metadata.id) { $0?.status.phase == .running }
        }
    }

    @Test func `a context that is not there fails the environment, not kilnd`() async throws {
        try await Fixture.with { fixture in
            let build = ImageBuild(context: try ContentDigest(String(repeating: "a", count: 64)))
            let shop = try await fixture.makeEnvironment("shop", on: fixture.makeWorkmachine(), service("api", build: build))
            let failed = try await fixture.wait(Environment.self, shop.metadata.id) { $0?.status.phase == .failed }
            #expect(failed?.status.reason?.code == "invalid-build-context")
        }
    }

    @Test func `deleting an environment does not wait for its build`() async throws {
        try await Fixture.with { fixture in
            let build = try await fixture.makeContext()
            await fixture.engine.hold(.build)
            let shop = try await fixture.makeEnvironment("shop", on: fixture.makeWorkmachine(), service("api", build: build))
            try await fixture.wait(Environment.self, shop.metadata.id) { $0?.status.phase == .building }
            _ = try await fixture.store.requestDeletion(Environment.self, shop.metadata.id)
            try await fixture.gone(shop)
            await fixture.engine.release(.build)
        }
    }

    @Test func `contexts that nothing needs are swept after a day`() async throws {
        try await Fixture.with { fixture in
            let (needed, unneeded) = (try await fixture.makeContext(), try await fixture.makeContext("f"))
            let contexts = fixture.controller.contexts
            try contexts.sweep(keeping: [needed.context], now: KilnStore.systemTime())
            #expect(contexts.contains(unneeded.context))
            try contexts.sweep(keeping: [needed.context], now: KilnStore.systemTime() + 25 * 3600)
            #expect(!contexts.contains(unneeded.context))
            #expect(contexts.contains(needed.context))
        }
    }
}

extension Fixture {
    func makeContext(_ digit: String = "0") async throws -> ImageBuild {
        let build = ImageBuild(context: try ContentDigest(String(repeating: digit, count: 64)))
        try Data(repeating: 7, count: 300_000).write(to: URL(filePath: controller.contexts.path(of: build.context)))
        return build
    }
}
