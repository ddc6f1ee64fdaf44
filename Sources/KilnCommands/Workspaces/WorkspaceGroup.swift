internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct WorkspaceGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workspace", abstract: "Personal dev containers.",
        subcommands: [
            WorkspaceCreate.self, WorkspaceList.self, WorkspaceShow.self, WorkspaceExec.self, WorkspaceShell.self, WorkspaceSuspend.self,
            WorkspaceResume.self, WorkspaceUpdate.self, WorkspaceLogs.self, WorkspaceDelete.self,
        ],
        aliases: ["ws"]
    )
}

/// The workspace a verb is about.
struct WorkspaceArgument: ParsableArguments {
    @Argument(help: "The workspace: [owner/]name.", completion: .workspaces, transform: { try QualifiedName($0) })
    var name: QualifiedName

    var reference: Reference { .name(name) }
}
