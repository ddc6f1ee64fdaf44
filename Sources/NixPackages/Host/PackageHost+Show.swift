public import KilnModel
import Synchronization

extension PackageHost {
    /// Makes what is missing valid, then shows the workspace its list in one step. A package that cannot be had is left out, or stays what it
    /// was, unless the list is atomic.
    ///
    /// Calls for one workspace must not overlap. Where everything is in the store already no program is started.
    public func show(_ view: PackageView, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws -> PackageView.Shown {
        let fetched = Mutex(0)
        let listen: @Sendable (PackageProgress) async -> Void = { state in
            fetched.withLock { $0 = max($0, state.fetched) }
            await progress(state)
        }
        let (packages, failures) = try await available(view, progress: listen)
        let installed = try await put(packages, view, progress: listen)
        try settleRoots(of: view, showing: packages)
        return .init(
            installed: installed, fetched: fetched.withLock { $0 },
            failures: view.packages.compactMap { package in failures[package.name].map { (package.name, $0) } })
    }

    /// The list as far as it can be had, all of it valid and held for the workspace.
    private func available(
        _ view: PackageView, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> ([LockedPackage], [PackageName: KilnError]) {
        var failures: [PackageName: KilnError] = [:]
        for package in try await realise(view.packages, view, progress: progress) { failures[package.key] = package.value }
        guard !failures.isEmpty else { return (view.packages, [:]) }
        if view.isAtomic, let first = view.packages.lazy.compactMap({ failures[$0.name] }).first { throw first }
        let fallback = view.packages.falling(back: Set(failures.keys), to: view.previous)
        // What was there before may be gone by now, in a store that somebody cleaned by hand.
        let lost = try await realise(fallback, view, progress: progress)
        return (fallback.filter { lost[$0.name] == nil }, failures)
    }

    /// - Returns: the errors of those that cannot be had.
    private func realise(
        _ packages: [LockedPackage], _ view: PackageView, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> [PackageName: KilnError] {
        let paths = Set(try store.adopt(packages.map(\.storePath), for: view.holder))
        let missing = packages.filter { paths.contains($0.storePath) }
        guard !missing.isEmpty else { return [:] }
        try await checkSpace(for: missing)
        await progress(PackageProgress(activity: "fetching \(missing.map(\.name.value).joined(separator: ", "))"))
        let errors = try await queue.realise(missing, for: view.holder, on: view.machine, progress: progress)
        return Dictionary(missing.compactMap { package in errors[package.storePath].map { (package.name, $0) } }) { first, _ in first }
    }

    /// Writes the view and lets the workspace see it, unless it does.
    private func put(
        _ packages: [LockedPackage], _ view: PackageView, progress: @Sendable (PackageProgress) async -> Void
    ) async throws -> [InstalledPackage] {
        if let current = try views.current(of: view.workspace), current.generation == view.generation, current.packages == packages {
            return current.installed
        }
        let plan = try ViewPlan(packages.map { .init(name: $0.name, storePath: $0.storePath) }, reader: StoreTreeReader())
        let sizes = try await store.closureSizes(of: packages.map(\.storePath))
        let installed = packages.enumerated().map { index, package in
            InstalledPackage(
                name: package.name, storePath: package.storePath, size: sizes[package.storePath] ?? 0, programs: plan.programs[index],
                shadowed: plan.shadowed[index])
        }
        try Task.checkCancellation()
        try views.show(plan, .init(generation: view.generation, packages: packages, installed: installed), to: view.workspace)
        return installed
    }

    /// Holds what the workspace sees or can roll back to, and lets go of the rest.
    private func settleRoots(of view: PackageView, showing packages: [LockedPackage]) throws {
        _ = try store.adopt(Array(view.kept), for: view.holder)
        let needed = view.kept.union(packages.map(\.storePath))
        for path in try store.roots.paths(of: view.holder) where !needed.contains(path) {
            // Until a collection looked: files in the home may name it.
            try store.roots.hold(path, for: .released(view.machine))
            try store.roots.release(path, for: view.holder)
        }
    }
}
