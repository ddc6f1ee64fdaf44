import KilnModel

/// Makes packages valid, a few batches at a time for each workmachine. What is asked for while all of them are busy is merged into the next.
actor RealiseQueue {
    /// Makes one source's packages valid, each a pending root.
    typealias Realise = @Sendable ([LockedPackage], @escaping @Sendable (PackageProgress) async -> Void) async throws -> Void

    private struct Request {
        var packages: [LockedPackage]
        var holder: StoreRoots.Holder
        var progress: @Sendable (PackageProgress) async -> Void
        /// Resumed when the request is done, or when it is its turn to lead a batch.
        var turn: CheckedContinuation<Turn, any Error>?
    }

    private enum Turn {
        case done([StorePath: KilnError])
        case lead
    }

    private struct Line {
        var batches = 0
        /// Those whom no batch has taken yet.
        var waiting: [Int] = []
    }

    /// Batches of one workmachine at a time: enough that a small wish need not wait for a big one.
    private static let width = 3

    private let store: NixStore
    private let source: Realise
    private var lines: [ResourceID: Line] = [:]
    private var requests: [Int: Request] = [:]
    private var nextID = 0

    init(store: NixStore, realise: @escaping Realise) {
        self.store = store
        source = realise
    }

    /// Makes packages valid and keeps them for `holder`.
    /// - Returns: the errors of those that cannot be had, by path.
    func realise(
        _ packages: [LockedPackage], for holder: StoreRoots.Holder, on machine: ResourceID,
        progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> [StorePath: KilnError] {
        nextID += 1
        let id = nextID
        requests[id] = Request(packages: packages, holder: holder, progress: progress)
        defer { requests[id] = nil }
        if lines[machine, default: Line()].batches < Self.width {
            lines[machine, default: Line()].batches += 1
        } else {
            lines[machine]?.waiting.append(id)
            if case .done(let outcome) = try await turn(of: id, on: machine) { return outcome }
        }
        return try await lead(id, on: machine)
    }

    private func turn(of id: Int, on machine: ResourceID) async throws -> Turn {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                requests[id]?.turn = continuation
                if Task.isCancelled { cancel(id, on: machine) }
            }
        } onCancel: {
            Task { await self.cancel(id, on: machine) }
        }
    }

    private func cancel(_ id: Int, on machine: ResourceID) {
        lines[machine]?.waiting.removeAll { $0 == id }
        resume(id, .failure(CancellationError()))
    }

    private func resume(_ id: Int, _ result: Result<Turn, any Error>) {
        guard let turn = requests[id]?.turn else { return }
        requests[id]?.turn = nil
        turn.resume(with: result)
    }

    /// Works for all that wait, and for the leader.
    private func lead(_ id: Int, on machine: ResourceID) async throws -> [StorePath: KilnError] {
        let others = lines[machine]?.waiting ?? []
        lines[machine]?.waiting = []
        defer { finish(on: machine) }
        do {
            let errors = try await work(for: [id] + others)
            for other in others { resume(other, Result { .done(try settle(other, errors)) }) }
            return try settle(id, errors)
        } catch {
            // Those who wait for the same are not cancelled with this one.
            lines[machine]?.waiting.insert(contentsOf: others.filter { requests[$0]?.turn != nil }, at: 0)
            throw error
        }
    }

    private func finish(on machine: ResourceID) {
        if let next = lines[machine]?.waiting.first {
            lines[machine]?.waiting.removeFirst()
            resume(next, .success(.lead))
            return
        }
        lines[machine]?.batches -= 1
        if lines[machine]?.batches == 0 { lines[machine] = nil }
        // What cannot be let go of now is no harm, and goes with the next batch.
        if lines.isEmpty { try? store.releasePending() }
    }

    private func work(for batch: [Int]) async throws -> [StorePath: KilnError] {
        let packages = batch.flatMap { requests[$0]?.packages ?? [] }
        var unique: [StorePath: LockedPackage] = [:]
        for package in packages { unique[package.storePath] = package }
        let groups = Dictionary(grouping: unique.values.sorted { $0.name < $1.name }, by: \.source)
        let listeners = batch.compactMap { requests[$0]?.progress }
        let source = source
        return try await withThrowingTaskGroup(of: [StorePath: KilnError].self) { tasks in
            for group in groups.values {
                tasks.addTask {
                    try await Self.realiseOneByOneIfNeeded(group, source) { state in for listener in listeners { await listener(state) } }
                }
            }
            return try await tasks.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        }
    }

    /// All at once; when that fails, each by itself, so that one that cannot be had does not keep the others away.
    private static func realiseOneByOneIfNeeded(
        _ packages: [LockedPackage], _ realise: Realise, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> [StorePath: KilnError] {
        do {
            try await realise(packages, progress)
            return [:]
        } catch {
            try Task.checkCancellation()
            guard packages.count > 1 else { return [packages[0].storePath: KilnError(packageFailure: error)] }
        }
        var errors: [StorePath: KilnError] = [:]
        for package in packages {
            do {
                try await realise([package], progress)
            } catch {
                try Task.checkCancellation()
                errors[package.storePath] = KilnError(packageFailure: error)
            }
        }
        return errors
    }

    /// Hands a request what was made for it.
    /// - Returns: the errors that concern it.
    private func settle(_ id: Int, _ errors: [StorePath: KilnError]) throws -> [StorePath: KilnError] {
        guard let request = requests[id] else { return [:] }
        var outcome: [StorePath: KilnError] = [:]
        for package in request.packages {
            if let error = errors[package.storePath] {
                outcome[package.storePath] = error
            } else {
                try store.roots.hold(package.storePath, for: request.holder)
            }
        }
        return outcome
    }
}

extension KilnError {
    /// Sources throw `KilnError`; whatever else comes out of them is told as it is.
    init(packageFailure error: any Error) {
        self = error as? KilnError ?? KilnError(.packageFailed, "A package could not be had: \(error)")
    }
}
