import CommandRunner
import FileWork
import Foundation
import KilnModel
import Synchronization
import Testing

@testable import NixPackages

@Suite("Collecting garbage")
struct GarbageTests {
    /// Of a file of a mebibyte, as an archive.
    private static let archive = (1 << 20) + 112

    private let workspace = ResourceID.random()

    /// A host whose store is a folder of its own, so that nobody else's garbage goes; with so many files of a mebibyte that nothing keeps.
    private func withGarbage(
        files: Int, seconds: Int = 60, sources: [SourceConfiguration] = [], _ body: (PackageHost) async throws -> Void
    ) async throws {
        let name = "kiln-garbage-\(UInt32.random(in: 0...UInt32.max))"
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        let configuration = PackageHost.Configuration(
            prefix: name, directory: folder, debianBuilder: "/nonexistent", limits: PackageLimits(freeDiskMiB: 0, collectionSeconds: seconds))
        let host = PackageHost(configuration, configured: sources)
        defer { #expect(throws: Never.self) { try PackageHost.purge(configuration) } }
        for path in ["\(folder)/nix/builds", "\(folder)/root/nix/store", "\(folder)/files"] { try TrustedFiles.makeDirectories(path, mode: 0o755) }
        try TrustedFiles.replace("\(folder)/nix/nix.conf", with: "store = local?root=\(folder)/root\nbuild-users-group =\nsubstituters =\n")
        try await host.store.nix.run(.store, ["--init"])
        for number in 0..<files {
            let file = "\(folder)/files/\(number)"
            try TrustedFiles.replace(file, with: (0..<(1 << 20)).map { _ in UInt8.random(in: 0...255) })
            try await host.store.nix.run(.store, ["--add", file])
        }
        try await body(host)
    }

    @Test("All that nothing keeps goes, and how far it is can be heard")
    func all() async throws {
        try await withGarbage(files: 4) { host in
            #expect(try await host.collectable() == 4 * Self.archive)
            let heard = Mutex<[PackageProgress]>([])
            let result = try await host.collectGarbage(droppedBy: nil, portion: 1 << 20) { state in heard.withLock { $0.append(state) } }
            #expect(result.paths == 4 && !result.isPartial)
            #expect(abs(result.freed - 4 << 20) < 1 << 18)
            #expect(heard.withLock { $0.count } >= 2)
            #expect(heard.withLock { $0.last?.total } == 4 * Self.archive)
            #expect(try await host.store.graph().nodes.isEmpty)
        }
    }

    @Test("A collection that takes longer than its limit ends with something left, and the next one goes on")
    func bounded() async throws {
        try await withGarbage(files: 3, seconds: 1) { host in
            // The clock is looked at between portions, and hearing about one of them takes longer than all may.
            let first = try await host.collectGarbage(droppedBy: nil, portion: 1 << 20) { _ in try? await Task.sleep(for: .seconds(1.1)) }
            #expect(first.isPartial && (1...2).contains(first.paths))
            let second = try await host.collectGarbage(droppedBy: nil) { _ in }
            #expect(!second.isPartial && first.paths + second.paths == 3)
        }
    }

    @Test("What a workspace dropped stays while a file names it or what it needs, and goes when its owner says so")
    func dropped() async throws {
        try await HostFixture.with { fixture in
            let packages = try await fixture.lock("named", "unnamed")
            try await fixture.host.show(fixture.view(workspace, 1, packages))
            try await fixture.host.show(fixture.view(workspace, 2, []))
            #expect(try fixture.host.machinesWithDroppedPackages() == [fixture.machine])
            try await fixture.host.forgetDropped(of: fixture.machine, notNamedBy: [packages[0].storePath])
            #expect(try fixture.host.store.roots.paths(of: .released(fixture.machine)) == [packages[0].storePath])
            #expect(try await !fixture.isGarbage(packages[0].storePath))
            #expect(try await fixture.isGarbage(packages[1].storePath))

            let graph = try await fixture.host.store.graph()
            #expect(try await fixture.host.collectable(on: fixture.machine, in: graph) >= (graph.nodes[packages[0].storePath]?.size ?? .max))
        }
    }

    @Test("How Debian packages are made is forgotten with what nothing keeps, and not before")
    func recipes() async throws {
        let debian = DebianConfiguration(name: try Name("debian"), suites: [])
        try await withGarbage(files: 1, sources: [.debian(debian)]) { host in
            let directory = host.configuration.directory(of: debian.name)
            let shelf = DebianRecipe.Shelf(directory: "\(directory)/recipes")
            let names = ["workspace", "released", "pending", "making", "nobody", "young", "again"]
            let recipes = names.map(DebianRecipe.small)
            let paths = try recipes.map { try $0.storePath() }
            for recipe in recipes { try shelf.put(recipe) }
            let machine = ResourceID.random(), roots = host.store.roots
            try roots.hold(paths[0], for: .workspace(workspace, of: machine))
            try roots.hold(paths[1], for: .released(machine))
            try roots.hold(paths[2], for: .pending)
            let link = roots.link(paths[3], for: .pending).replacingOccurrences(of: paths[3].baseName, with: ".making-\(paths[3].baseName)")
            try TrustedFiles.link(link, to: paths[3].value)
            for (name, path) in zip(names, paths) where name != "young" { try await age("\(directory)/recipes/\(path.baseName).json") }
            try shelf.put(recipes[6])
            // What kills left: of writing a recipe, of fetching, of building, and a download that goes on.
            try TrustedFiles.replace("\(directory)/recipes/\(paths[0].baseName).json.1f.new", with: "{")
            try TrustedFiles.makeDirectories("\(directory)/downloads/old", mode: 0o755)
            try TrustedFiles.replace("\(directory)/downloads/old/x.deb", with: "x")
            try TrustedFiles.makeDirectories("\(directory)/downloads/young", mode: 0o755)
            for leftover in ["recipes/\(paths[0].baseName).json.1f.new", "downloads/old"] { try await age("\(directory)/\(leftover)") }

            for _ in 1...2 {
                _ = try await host.collectGarbage(droppedBy: nil) { _ in }
                for (name, (recipe, path)) in zip(names, zip(recipes, paths)) {
                    #expect(try shelf.recipe(for: path) == (name == "nobody" ? nil : recipe), "\(name)")
                }
                #expect(try TrustedFiles.list("\(directory)/recipes").count == names.count - 1)
                #expect(try TrustedFiles.list("\(directory)/downloads") == ["young"])
            }
        }
    }

    /// Makes a file as old as if it were from another year.
    private func age(_ path: String) async throws { try await SystemCommandRunner().succeed("touch", ["--date", "200 days ago", path]) }

    @Test("What Nix says of a collection is read, and nothing else taken for it")
    func freed() throws {
        let freed = try NixStore.freed("deleting unused links...\n12 store paths deleted, 35.25 MiB freed\n")
        #expect(freed.paths == 12 && freed.bytes == 36_962_304)
        for text in ["", "freed", "x store paths deleted, 1 MiB freed", "1 store paths deleted, 1 KiB freed"] {
            #expect(throws: KilnError.self) { try NixStore.freed(text) }
        }
    }

    @Test("Usage counts what workspaces share for both, and the store once")
    func usage() async throws {
        try await HostFixture.with { fixture in
            let packages = try await fixture.lock("a", "b"), other = ResourceID.random()
            let shown = try await fixture.host.show(fixture.view(workspace, 1, packages))
            try await fixture.host.show(fixture.view(other, 1, [packages[0]]))
            let usage = try await fixture.host.usage(of: fixture.machine)
            let sizes = shown.installed.map(\.size)
            #expect(Set(usage.shares) == [.init(workspace: workspace, size: sizes[0] + sizes[1]), .init(workspace: other, size: sizes[0])])
            #expect(usage.store >= sizes[0] + sizes[1])
        }
    }

    @Test("A program, a path in the view and a path of the store lead to the package they are of")
    func origins() async throws {
        try await HostFixture.with { fixture in
            let packages = try await fixture.lock("a", "b")
            try await fixture.host.show(fixture.view(workspace, 1, packages))
            let path = packages[1].storePath
            for item in ["b", "bin/b", "/opt/kiln/packages/profile/bin/b", path.value, "\(path)/bin/b"] {
                let origins = try await fixture.host.origins(of: item, in: workspace, packages: packages)
                #expect(origins.map(\.package.value) == ["b"], "\(item)")
                #expect(origins.map(\.chain) == [[path]])
            }
            // The name of a package, though no program is called so.
            var renamed = packages
            renamed[1].name = try PackageName("ripgrep")
            let named = try await fixture.host.origins(of: "ripgrep", in: workspace, packages: renamed)
            #expect(named.map(\.package.value) == ["ripgrep"] && named.map(\.chain) == [[path]])
            for item in ["c", "", "../../../etc/passwd", "bin/../bin/b", "/etc/passwd", "/nix/store/x", "$(x)", "bin//b"] {
                let error = await #expect(throws: KilnError.self, "\(item)") {
                    try await fixture.host.origins(of: item, in: workspace, packages: packages)
                }
                #expect(error?.code == .packageNotFound)
            }
        }
    }
}
