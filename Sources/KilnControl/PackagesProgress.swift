internal import KilnModel
internal import WorkspaceEngine

/// How the status of a workspace's packages goes on. Pure.
enum PackagesProgress {
    /// While an engine works.
    static func installing(_ workspace: Workspace, _ progress: PackageProgress) -> Workspace.Status {
        var status = workspace.status
        if status.packages?.phase == .installing { status.packages?.progress = progress }
        return status
    }

    /// After the engine said what the workspace sees.
    static func observed(_ workspace: Workspace, _ observation: PackagesObservation, now: Timestamp) -> Workspace.Status {
        var status = workspace.status
        // Another list may be wanted by now.
        let phase: PackagesStatus.Phase = observation.generation >= workspace.spec.packageGeneration ? .ready : .installing
        let before = status.packages
        status.packages = PackagesStatus(
            phase: phase, generation: observation.generation, installed: observation.installed, failures: before?.failures ?? [],
            fetched: observation.fetched, since: before?.phase == phase ? before?.since ?? now : now)
        return status
    }

    /// After the engine failed, where nothing can be taken back. What the workspace sees stays.
    /// - Parameter generation: the one that failed.
    static func failed(_ workspace: Workspace, generation: Int, _ error: KilnError, now: Timestamp) -> Workspace.Status {
        var status = workspace.status
        guard workspace.spec.packageGeneration == generation else { return status }
        var packages = status.packages ?? PackagesStatus(phase: .failed, generation: 0, since: now)
        if packages.phase != .failed { packages.since = now }
        packages.phase = .failed
        packages.progress = nil
        packages.reason = Reason(error)
        status.packages = packages
        return status
    }

    /// Which packages a failure may be about, when the engine does not say: those that are new.
    static func suspects(in target: PackagesTarget) -> Set<PackageName> {
        Set(PackageChange.between(target.previous, target.packages).filter { $0.to != nil }.map(\.name))
    }

    /// What the status says of packages that could not be had.
    static func failures(_ failed: [PackagesObservation.Failure], in target: PackagesTarget) -> [PackageFailure] {
        failed.compactMap { failure in
            target.packages.first { $0.name == failure.package }.map { package in
                PackageFailure(name: package.name, version: package.version, generation: target.generation, reason: Reason(failure.error))
            }
        }
    }

    /// Whether trying again would change nothing until somebody does something about it.
    static func isLasting(_ error: KilnError) -> Bool { FailureKind(error) == .lasting || error.code == .diskFull }
}

extension PackagesTarget {
    /// - Parameters:
    ///   - history: the workspace's lists, newest first.
    ///   - previous: the list that was last seen to work.
    init(_ workspace: Workspace, on workmachine: Workmachine, history: [PackageGeneration], previous: [LockedPackage]) {
        let current = workspace.spec.packageGeneration
        self.init(
            workspace: workspace.metadata.id, workmachine: WorkmachineTarget(workmachine), generation: current, packages: workspace.spec.packages,
            kept: history.filter { $0.number != current && !$0.didFail && !$0.packages.isEmpty }.map {
                Kept(generation: $0.number, storePaths: $0.packages.map(\.storePath))
            },
            previous: previous, isAtomic: history.first { $0.number == current }?.isAtomic ?? false)
    }
}
