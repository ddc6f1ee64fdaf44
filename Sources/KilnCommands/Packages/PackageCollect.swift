internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct PackageCollect: Verb {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Delete what no package of a workmachine's workspaces needs.",
        discussion: """
            Lists that can be rolled back to are kept. Paths that only files in ~ name (an interpreter of a virtual environment, say) go.

            Example:
              kl pkg gc --yes
            """
    )

    @Option(help: ArgumentHelp("The workmachine.", valueName: "name"), completion: .machines, transform: { try QualifiedName($0) })
    var machine: QualifiedName?
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let name = try machine ?? QualifiedName("local")
        try context.confirm("Delete what no package on \(name) needs any more", common)
        try await context.withClient { client in
            let progress = Progress("packages of \(name)", on: context.output.error)
            let showing = Task { try await progress.run() }
            defer { showing.cancel() }
            var last: CollectionLine?
            try await client.collectGarbage(on: .name(name)) { line in
                if case .progress(let step) = line { await progress.update(step.activity) }
                last = line
            }
            await progress.clear()
            switch last {
            case .done(let freed, let paths, let partial):
                if common.json { return try context.output.json(Collected(freed: freed, paths: paths, partial: partial)) }
                let more = partial ? " There is more; it was stopped so that it keeps nobody waiting: kl pkg gc" : ""
                context.output.line("Freed \(Show.size(freed)) of \(paths) path\(paths == 1 ? "" : "s").\(more)")
            case .failed(let problem): throw problem.error
            case .progress, nil:
                throw KilnError(.engineUnavailable, "The answer broke off; the collection has stopped.", hint: "kl pkg gc --machine \(name)")
            }
        }
    }

    private struct Collected: Encodable {
        var freed: Int
        var paths: Int
        var partial: Bool
    }
}
