public import KilnModel

/// The paths of the API; `ref` is an id, a name (`owner%2Fname`, or with `?owner=`, for another owner's), or `@self` from inside a workspace.
public enum Routes {
    public static let prefix = "/api/v1"
    /// How a workspace names itself; no valid name, so it cannot clash.
    public static let selfReference = "@self"

    public static func collection(_ kind: ResourceKind) -> String { "\(prefix)/\(kind.rawValue)" }
    public static func item(_ kind: ResourceKind, _ ref: String) -> String { "\(prefix)/\(kind.rawValue)/\(ref)" }
    public static func action(_ kind: ResourceKind, _ ref: String, _ action: Action) -> String { "\(item(kind, ref))/\(action.rawValue)" }
    /// `HEAD` and `PUT` of a build context's tar.
    public static func context(_ digest: ContentDigest) -> String { "\(prefix)/contexts/\(digest)" }
    /// `POST` of `InspectCompose`.
    public static let compose = "\(prefix)/compose"
    /// `POST` of `InspectCompose`, too.
    public static let composeReport = "\(prefix)/compose/report"
    public static let events = "\(prefix)/events"
    /// `GET`: what is served here, as an OpenAPI document.
    public static let description = "/api/openapi.json"
    /// `GET`: what kilnd finds when it looks at itself.
    public static let checks = "\(prefix)/checks"
    /// `GET`: who did what, for admins.
    public static let audit = "\(prefix)/audit"
    /// `POST` of `CreateToken`, `GET` of a list of `TokenInfo`, for admins; below it `DELETE` of one.
    public static let tokens = "\(prefix)/tokens"
    /// `GET`: a list of `VolumesInfo`; below it `DELETE` of one environment's.
    public static let volumes = "\(prefix)/volumes"
    public static let session = "\(prefix)/session"
    /// `GET` (`?query=`, `?limit=`): `PackageSummary`s.
    public static let packages = "\(prefix)/packages"
    /// `GET`: `PackageDetails`.
    public static func package(_ name: String) -> String { "\(packages)/\(name)" }

    /// What a path has below an item.
    public enum Action: String, Sendable, CaseIterable {
        /// `POST`, workspaces.
        case suspend, resume, connect, disconnect
        /// `POST`, workspaces: `StartIntercept`, `StopIntercept`.
        case intercept, release
        /// `GET`, workspaces: a list of `InterceptReport`; environments: a list of `InterceptSummary`.
        case intercepts
        /// `GET`, environments (`?service=`): `ServiceSurroundings`.
        case surroundings
        /// `POST`, environments.
        case start, stop
        /// `POST` of `RestartServices`, environments.
        case restart
        /// `GET` of `SettingsReport` and `PATCH` of `ChangeSettings`, environments.
        case settings
        /// `POST` of `ShareEnvironment`, environments.
        case share, unshare
        /// `GET` of `EnvironmentExport`, environments; below it the tars that it names.
        case export
        /// `POST`, workspaces and environments (`?service=`): full-duplex `SessionFrame`s in the bodies of request and answer.
        case sessions
        /// `GET`, workspaces and environments (`?service=`, `?follow=true`, `?since=`, `?tail=N`): NDJSON of log lines.
        case logs
        /// `GET`, workspaces: `WorkspaceReport`.
        case report
        /// Workspaces: `GET` of `PackagesReport`, `POST` of `AddPackages`, `PUT` of `PackageLock`. Workmachines: `GET` of `PackageUsageReport`.
        case packages
        /// `POST`, workspaces: `RemovePackages`, `UpdatePackages`, `RollBackPackages`, `SyncPackages`; all answer `PackagesAnswer`.
        case removePackages = "packages/remove"
        case updatePackages = "packages/update"
        case rollBackPackages = "packages/rollback"
        case syncPackages = "packages/sync"
        /// `GET`, workspaces: a list of `PackageGeneration`, newest first.
        case packageHistory = "packages/history"
        /// `GET`, workspaces (`?item=`): a list of `OriginReport`.
        case packageOrigins = "packages/origins"
        /// `POST`, workmachines: NDJSON of `CollectionLine`s.
        case collectPackages = "packages/collect"
    }
}
