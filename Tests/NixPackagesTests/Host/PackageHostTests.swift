import FileWork
import Glibc
import KilnModel
import Testing

@testable import NixPackages

@Suite("A host's packages")
struct PackageHostTests {
    private let first = ResourceID.random(), second = ResourceID.random()

    @Test("A package is built once, seen at once, and whoever asks for it next starts no program")
    func addTwice() async throws {
        try await HostFixture.with { fixture in
            let view = try fixture.host.prepareView(of: first)
            #expect(try await fixture.run("hello", in: first) == nil)
            let packages = try await fixture.lock("hello")
            let shown = try await fixture.host.show(fixture.view(first, 1, packages))
            #expect(view == fixture.host.views.path(of: first))
            #expect(try await fixture.run("hello", in: first) == "hello 1")
            #expect(shown.installed.map(\.programs) == [["hello"]])
            #expect(shown.installed[0].size > 0)
            #expect(fixture.source.calls == [["hello"]])

            let deaf = PackageHost(fixture.host.configuration, sources: [])
            let again = try await deaf.show(fixture.view(second, 1, packages))
            #expect(again.installed == shown.installed && again.fetched == 0)
            #expect(try await fixture.run("hello", in: second) == "hello 1")
            #expect(try await deaf.show(fixture.view(second, 1, packages)).installed == shown.installed, "the same again changes nothing")
        }
    }

    @Test("What a workspace sees or can roll back to is kept; what it dropped stays until a collection looked at the home")
    func roots() async throws {
        try await HostFixture.with { fixture in
            let (a, b) = (try await fixture.lock("a"), try await fixture.lock("b"))
            try await fixture.host.show(fixture.view(first, 1, a))
            try await fixture.host.show(fixture.view(first, 2, b, kept: [a[0].storePath]))
            #expect(try await fixture.run("a", in: first) == nil)
            #expect(try await fixture.run("b", in: first) == "b 1")
            #expect(try await !fixture.isGarbage(a[0].storePath))

            try await fixture.host.show(fixture.view(first, 3, a + b))
            #expect(try await fixture.run("a", in: first) == "a 1")
            try await fixture.host.show(fixture.view(first, 4, []))
            #expect(try fixture.host.store.roots.paths(of: .workspace(first, of: fixture.machine)) == [])
            #expect(try fixture.host.store.roots.paths(of: .released(fixture.machine)) == [a[0].storePath, b[0].storePath])
            #expect(try fixture.host.store.roots.paths(of: .pending) == [])

            try fixture.host.remove(machine: fixture.machine)
            #expect(try await fixture.isGarbage(a[0].storePath))
        }
    }

    @Test("One package that cannot be built keeps no other away, and what was there stays in its place")
    func partly() async throws {
        try await HostFixture.with(broken: ["bad"]) { fixture in
            let good = try await fixture.lock("good"), all = try await fixture.lock("good", "bad")
            let shown = try await fixture.host.show(fixture.view(first, 1, all))
            #expect(shown.failures.map(\.package.value) == ["bad"])
            #expect(shown.failures[0].error.code == .packageFailed)
            #expect(try await fixture.run("good", in: first) == "good 1")

            var replaced = all[1]
            replaced.name = good[0].name
            let fallen = try await fixture.host.show(fixture.view(first, 2, [replaced], previous: good))
            #expect(fallen.failures.map(\.package.value) == ["good"])
            #expect(try await fixture.run("good", in: first) == "good 1")

            let error = await #expect(throws: KilnError.self) { try await fixture.host.show(fixture.view(first, 3, all, isAtomic: true)) }
            #expect(error?.code == .packageFailed)
            #expect(try fixture.host.views.current(of: first)?.generation == 2, "an atomic list that fails changes nothing")
        }
    }

    @Test("Workspaces that ask at the same time all get what they want, each path made once")
    func atOnce() async throws {
        try await HostFixture.with { fixture in
            let packages = try await fixture.lock("p0", "p1", "p2", "p3", "p4")
            let workspaces = (0..<20).map { _ in ResourceID.random() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, workspace) in workspaces.enumerated() {
                    group.addTask { try await fixture.host.show(fixture.view(workspace, 1, [packages[index % 5], packages[(index + 1) % 5]])) }
                }
                try await group.waitForAll()
            }
            for (index, workspace) in workspaces.enumerated() {
                #expect(try await fixture.run("p\(index % 5)", in: workspace) == "p\(index % 5) 1")
                #expect(try await fixture.run("p\((index + 1) % 5)", in: workspace) == "p\((index + 1) % 5) 1")
            }
            #expect(fixture.source.calls.count <= 6, "those who came while others were at work were merged: \(fixture.source.calls)")
            #expect(try fixture.host.store.roots.paths(of: .pending) == [])
        }
    }

    @Test("Two workspaces that add and remove at the same time each see what they asked for, all the while")
    func churn() async throws {
        try await HostFixture.with { fixture in
            let packages = try await fixture.lock("both", "one", "two")
            let lists = [(first, [packages[0], packages[1]], "one"), (second, [packages[0], packages[2]], "two")]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (workspace, list, own) in lists {
                    group.addTask {
                        for round in 0..<8 {
                            // Kept in every other round only: roots come and go, too.
                            let kept = round % 2 == 0 ? Set(list.map(\.storePath)) : []
                            try await fixture.host.show(fixture.view(workspace, 2 * round + 1, list))
                            #expect(try await fixture.run("both", in: workspace) == "both 1")
                            #expect(try await fixture.run(own, in: workspace) == "\(own) 1")
                            try await fixture.host.show(fixture.view(workspace, 2 * round + 2, [], kept: kept))
                            for name in ["both", "one", "two"] { #expect(try await fixture.run(name, in: workspace) == nil) }
                        }
                        try await fixture.host.show(fixture.view(workspace, 100, list))
                    }
                }
                try await group.waitForAll()
            }
            for (workspace, list, own) in lists {
                #expect(try await fixture.run("both", in: workspace) == "both 1")
                #expect(try await fixture.run(own, in: workspace) == "\(own) 1")
                #expect(try fixture.host.store.roots.paths(of: .workspace(workspace, of: fixture.machine)) == Set(list.map(\.storePath)))
            }
            for package in packages { #expect(try await !fixture.isGarbage(package.storePath)) }
            #expect(try fixture.host.store.roots.paths(of: .pending) == [])
        }
    }

    @Test("A call that is cancelled leaves the old view whole, and helps those who wait for the same")
    func cancelled() async throws {
        try await HostFixture.with { fixture in
            let old = try await fixture.lock("old"), new = try await fixture.lock("new")
            try await fixture.host.show(fixture.view(first, 1, old))
            let attempt = Task { try await fixture.host.show(fixture.view(first, 2, old + new)) }
            attempt.cancel()
            await #expect(throws: (any Error).self) { try await attempt.value }
            #expect(try await fixture.run("old", in: first) == "old 1")
            #expect(try await fixture.run("new", in: first) == nil)
            try await fixture.host.show(fixture.view(first, 2, old + new))
            #expect(try await fixture.run("new", in: first) == "new 1")
        }
    }

    @Test("A disk that would become too full is told before anything is fetched")
    func diskFull() async throws {
        try await HostFixture.with(needed: 1 << 50) { fixture in
            let packages = try await fixture.lock("huge")
            let error = await #expect(throws: KilnError.self) { try await fixture.host.show(fixture.view(first, 1, packages)) }
            #expect(error?.code == .diskFull)
            #expect(error?.message.contains("1048576.0 GiB needed") == true, "\(error?.message ?? "")")
            #expect(error?.hint?.contains("kl pkg gc would free") == true)
            #expect(fixture.source.calls.isEmpty)
        }
    }

    @Test("A collision is told with the name of the package that is shown")
    func collision() async throws {
        try await HostFixture.with(extra: ["b": ["a"]]) { fixture in
            let shown = try await fixture.host.show(fixture.view(first, 1, try await fixture.lock("a", "b")))
            #expect(shown.installed[1].shadowed == [.init(path: "bin/a", by: try PackageName("a"))])
            #expect(try await fixture.run("a", in: first) == "a 1")
            let turned = try await fixture.host.show(fixture.view(first, 2, try await fixture.lock("b", "a")))
            #expect(turned.installed[0].programs == ["a", "b"])
            #expect(try await fixture.run("a", in: first) == "b 1")
        }
    }

    @Test("A workspace that is gone leaves nothing behind, and an inventory without it does the same")
    func removal() async throws {
        try await HostFixture.with { fixture in
            let packages = try await fixture.lock("a")
            for workspace in [first, second] { try await fixture.host.show(fixture.view(workspace, 1, packages)) }
            try fixture.host.remove(first, of: fixture.machine)
            #expect(try fixture.host.views.workspaces() == [second])
            #expect(try await fixture.run("a", in: second) == "a 1")
            try fixture.host.prune(keeping: [], machines: [])
            #expect(try fixture.host.views.workspaces() == [])
            #expect(try await fixture.isGarbage(packages[0].storePath))
        }
    }

    @Test("A path that somebody only wants is not taken for one that is there")
    func pendingRoots() async throws {
        try await HostFixture.with { fixture in
            let path = try await fixture.lock("a")[0].storePath
            let store = fixture.host.store
            // What is there for all that a look at the disk can tell, such as half of a download.
            try TrustedFiles.makeDirectories(path.value, mode: 0o755)
            defer { rmdir(path.value) }
            try store.roots.hold(path, for: .pending)
            let mine = StoreRoots.Holder.workspace(first, of: fixture.machine)
            #expect(try store.adopt([path], for: mine) == [path])
            try store.roots.hold(path, for: .workspace(second, of: fixture.machine))
            #expect(try store.adopt([path], for: mine) == [])
        }
    }
}
