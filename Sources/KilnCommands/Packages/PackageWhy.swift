internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct PackageWhy: Verb {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say which packages a program, a package or a path of the store comes with.",
        discussion: "Examples:\n  kl pkg why node\n  kl p why /nix/store/…-libonig-6.9.9"
    )

    @Argument(help: ArgumentHelp("The name of a program or package, or a path.", valueName: "path-or-name"), completion: .installedPackages)
    var item: String
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            let origins = try await client.origins(of: item, in: reference)
            if common.json { return try context.output.json(origins) }
            guard !origins.isEmpty else {
                throw KilnError(.notFound, "No package of the workspace has or needs “\(item.printable(limit: 120))”.", hint: "kl pkg list")
            }
            for origin in origins {
                context.output.line(origin.package.value)
                for (depth, path) in origin.chain.enumerated() { context.output.line("\(String(repeating: "  ", count: depth + 1))\(path)") }
            }
        }
    }
}
