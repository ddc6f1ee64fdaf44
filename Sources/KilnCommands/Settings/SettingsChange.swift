internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

/// Which service of an environment is meant, or the whole of it.
struct ServiceOption: ParsableArguments {
    @Option(help: ArgumentHelp("Only this service.", valueName: "name"), transform: { try Name($0) }) var service: Name?
}

extension Context {
    /// Changes what is set over an environment's files, says which services start again for it, and waits until all are well.
    /// - Parameter noted: what to say when no service uses it.
    func change(
        _ change: ChangeSettings, of environment: EnvironmentArgument, noted: String, _ wait: WaitOptions, _ common: CommonOptions
    ) async throws {
        try await withClient { client in
            let applied = try await client.change(change, of: environment.reference)
            guard let changed = applied.environment else {
                throw KilnError(.internalError, "kilnd took the change and did not say what became of it.", hint: "kl version")
            }
            guard !applied.plan.changesNothing else { return try finish(changed, json: common.json, noted) }
            if !common.json { output.table(PlanTable.changes(applied.plan)) }
            try await concludeApplication(changed, applied.plan, called: environment.name, client, wait, common)
        }
    }
}

extension PlanTable {
    /// Only what becomes of those that change.
    static func changes(_ plan: ApplyPlan) -> Table {
        table(ApplyPlan(steps: plan.steps.filter { $0.action != .unchanged }))
    }
}

/// Where a value comes from that must not be an argument, or is too long for one.
struct ValueSource: ParsableArguments {
    @Option(
        name: .customLong("from-file"), help: ArgumentHelp("The file that holds it; else it is read from standard input.", valueName: "path"),
        completion: .file())
    var file: String?

    /// - Parameter what: names it in the question that a terminal is asked.
    func read(_ what: String, limit: Int, isSecret: Bool = false, _ context: Context) throws(KilnError) -> [UInt8] {
        try Self.read(file, what, limit: limit, isSecret: isSecret, context)
    }

    /// - Parameter file: nil or `-`: standard input.
    static func read(
        _ file: String?, _ what: String, limit: Int, isSecret: Bool = false, _ context: Context
    ) throws(KilnError) -> [UInt8] {
        if let file, file != "-" { return try ProjectFolder.readBytes(file, limit: limit) }
        if file == nil, let ask = isSecret ? context.input.askHidden : context.input.ask { return Array((ask("\(what): ") ?? "").utf8) }
        guard let bytes = readAll(context.input.descriptor) else {
            throw KilnError(.init("invalid-file", .usage), "Standard input cannot be read.", hint: "Pipe the value in, or use --from-file PATH.")
        }
        guard bytes.count <= limit else {
            throw KilnError(.invalidValue, "There are more than \(limit >> 10) KiB.", hint: "Use a shorter value.")
        }
        return bytes
    }
}
