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

extension Context {
    func waiter(for workspace: Workspace, _ client: APIClient, _ options: WaitOptions) -> Waiter {
        Waiter(
            client: client, output: output, limit: options.timeout, subject: "workspace \(workspace.metadata.name)",
            look: "kl workspace show \(workspace.metadata.name)"
        )
    }

    func waiter(for environment: Environment, _ client: APIClient, _ options: WaitOptions) -> Waiter {
        Waiter(
            client: client, output: output, limit: options.timeout, subject: "environment \(environment.metadata.name)",
            look: "kl env show \(environment.metadata.name)"
        )
    }

    /// Prints a verb's result: the resource as JSON, or a sentence.
    func finish(_ resource: some Encodable, json: Bool, _ sentence: String) throws {
        if json { try output.json(resource) } else { output.line(sentence) }
    }
}
