internal import ArgumentParser
internal import KilnModel

struct CompletionVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print the completion script of a shell.",
        discussion: """
            Names of workspaces, environments and workmachines are completed by asking kilnd.

            Examples:
              kl completion bash > ~/.local/share/bash-completion/completions/kl
              kl completion zsh > ~/.zfunc/_kl
              kl completion fish > ~/.config/fish/completions/kl.fish
            """
    )

    @Argument(help: "bash, zsh or fish.", completion: .list(["bash", "zsh", "fish"])) var shell: String
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        guard let shell = CompletionShell(rawValue: shell) else {
            throw KilnError(.invalidValue, "“\(shell.printable(limit: 40))” is none of bash, zsh and fish.", hint: "kl completion bash")
        }
        context.output.line(Kl.completionScript(for: shell))
    }
}
