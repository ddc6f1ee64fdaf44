import CommandRunner
import Foundation
import KilnModel

@testable import NixPackages

/// An instance's packages in the store of this host, with a name of its own, and no trace afterwards.
struct HostFixture {
    let host: PackageHost
    let source: ScriptSource
    let machine = ResourceID.random()
    private let folder: String

    static func with(
        broken: Set<String> = [], extra: [String: [String]] = [:], needed: Int = 0, limits: PackageLimits = PackageLimits(freeDiskMiB: 0),
        _ body: (HostFixture) async throws -> Void
    ) async throws {
        let name = "kiln-test-\(UInt32.random(in: 0...UInt32.max))"
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        let configuration = PackageHost.Configuration(prefix: name, directory: folder, debianBuilder: "/nonexistent", limits: limits)
        let source = try ScriptSource("script", nix: configuration.nix, broken: broken, extra: extra, needed: needed)
        let fixture = HostFixture(host: PackageHost(configuration, sources: [source]), source: source, folder: folder)
        do {
            try await fixture.host.prepare()
            try await body(fixture)
        } catch {
            try PackageHost.purge(configuration)
            throw error
        }
        try PackageHost.purge(configuration)
    }

    private init(host: PackageHost, source: ScriptSource, folder: String) {
        self.host = host
        self.source = source
        self.folder = folder
    }

    func lock(_ names: String...) async throws -> [LockedPackage] {
        var packages: [LockedPackage] = []
        for name in names { packages.append(try await source.lock(PackageWish(name)).package) }
        return packages
    }

    func view(
        _ workspace: ResourceID, _ generation: Int, _ packages: [LockedPackage], previous: [LockedPackage] = [], isAtomic: Bool = false,
        kept: Set<StorePath> = []
    ) -> PackageView {
        PackageView(
            workspace: workspace, machine: machine, generation: generation, packages: packages, previous: previous, isAtomic: isAtomic, kept: kept)
    }

    /// What a program of a workspace's view prints; nil when the view has no such program.
    func run(_ program: String, in workspace: ResourceID) async throws -> String? {
        let path = "\(host.views.path(of: workspace))/profile/bin/\(program)"
        guard access(path, X_OK) == 0 else { return nil }
        return try await SystemCommandRunner().succeed(path, []).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Whether Nix would collect a path now.
    func isGarbage(_ path: StorePath) async throws -> Bool { try await host.store.garbage().contains(path) }
}

extension PackageHost {
    @discardableResult
    func show(_ view: PackageView) async throws -> PackageView.Shown { try await show(view) { _ in } }
}
