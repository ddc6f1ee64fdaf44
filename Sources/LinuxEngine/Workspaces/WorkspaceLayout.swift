import KilnModel
import WorkspaceEngine

/// Where things lie inside a workspace, and the fixed programs the engine runs there. Names reach them as arguments, never as text.
enum WorkspaceLayout {
    static let home = "/home/dev"
    static let folders = "/home/dev/workspaces"
    /// User and group id of `dev`.
    static let user = ContainerUser(uid: FolderStore.developerID, gid: FolderStore.developerID)

    /// Gives a new home its first files, and makes the folder `$1`.
    static let folderScript = #"[ -d "$HOME/workspaces" ] || cp -rn /etc/skel/. "$HOME"/ 2>/dev/null; [ -d "$1" ] || mkdir -p -- "$1""#

    /// Clones `$1` into `$2`, which becomes `$3` in one step when it is whole.
    static let cloneScript =
        #"[ -d "$HOME/workspaces" ] || cp -rn /etc/skel/. "$HOME"/ 2>/dev/null; mkdir -p "$HOME/workspaces" && rm -rf -- "$2" && "#
        + #"if git clone --quiet -- "$1" "$2"; then mv -T -- "$2" "$3"; else s=$?; rm -rf -- "$2"; exit $s; fi"#

    /// Environment of every program that runs as `dev`.
    static func environment(_ target: WorkspaceTarget) throws -> [EnvironmentVariable] {
        try [
            .init(key: "HOME", value: home), .init(key: "USER", value: "dev"), .init(key: "LOGNAME", value: "dev"),
            .init(key: "SHELL", value: "/bin/bash"), .init(key: "LANG", value: "C.UTF-8"),
            .init(key: "KILN_WORKSPACE", value: target.name.value),
        ] + PackageMounts.variables.map { try .init(key: $0, value: $1) } + target.variables
    }

    /// The request with its program run by a login shell, so that /etc/profile and ~/.profile count, and packages are found whatever these did.
    /// No program: the shell itself.
    static func inLoginEnvironment(_ request: SessionRequest) -> SessionRequest {
        var request = request
        request.command =
            request.command.isEmpty
            ? ["/bin/sh", "-c", "if [ -x /bin/bash ]; then exec /bin/bash -l; else exec /bin/sh -l; fi"]
            : ["/bin/sh", "-l", "-c", #"[ ! -r \#(PackageMounts.script) ] || . \#(PackageMounts.script); exec "$@""#, "sh"] + request.command
        return request
    }
}
