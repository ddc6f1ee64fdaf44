public import KilnModel

/// The paths of the API; `ref` is an id, a name (with `?owner=` for another owner's), or `@self` from inside a workspace.
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
    public static let session = "\(prefix)/session"

    /// Last segment of a path below an item.
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
        /// `POST`, workspaces and environments (`?service=`): full-duplex `SessionFrame`s in the bodies of request and answer.
        case sessions
        /// `GET`, workspaces and environments (`?service=`, `?follow=true`, `?since=`, `?tail=N`): NDJSON of log lines.
        case logs
        /// `GET`, workspaces: `WorkspaceReport`.
        case report
    }
}
