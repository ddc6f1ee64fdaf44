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
        let script = Kl.completionScript(for: shell).replacing(CompletionKind.line, with: Self.line(in: shell))
        context.output.line(shell == .bash ? Self.knowingAliases(script) : script)
    }

    /// How a shell calls the line that it completes.
    private static func line(in shell: CompletionShell) -> String {
        switch shell {
        case .bash: #""$COMP_LINE""#
        case .zsh: #""$BUFFER""#
        default: "(commandline --cut-at-cursor --current-process | string collect)"
        }
    }

    /// The parser's script for bash knows verbs by their first name alone. This puts the first name in place of any other before it looks.
    private static func knowingAliases(_ script: String) -> String {
        let anchor = #"    local -a unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")"# + "\n"
        guard let place = script.firstRange(of: anchor) else { preconditionFailure("The parser writes another script: \(anchor) is not there.") }
        let groups = Kl.configuration.subcommands.flatMap { cases(of: $0) }
        let verbs = Kl.configuration.subcommands.flatMap { group in
            group.configuration.subcommands.flatMap { cases(of: $0, below: group.configuration.commandName.map { "\($0) " } ?? "") }
        }
        let lines = """
                # The word that is being written stays as it is.
                if [[ "${COMP_CWORD}" -gt 1 ]]; then
                    case "${unparsed_words[0]}" in
            \(groups.joined(separator: "\n"))
                    esac
                fi
                if [[ "${COMP_CWORD}" -gt 2 ]]; then
                    case "${unparsed_words[0]} ${unparsed_words[1]}" in
            \(verbs.joined(separator: "\n"))
                    esac
                fi

            """
        return script[..<place.upperBound] + lines + script[place.upperBound...]
    }

    /// The cases that name a command by its first name; none when it has no other.
    private static func cases(of command: any ParsableCommand.Type, below parent: String = "") -> [String] {
        let configuration = command.configuration
        guard let name = configuration.commandName, !configuration.aliases.isEmpty else { return [] }
        let index = parent.isEmpty ? 0 : 1
        return ["        \(configuration.aliases.map { "'\(parent)\($0)'" }.joined(separator: "|"))) unparsed_words[\(index)]=\(name) ;;"]
    }
}
