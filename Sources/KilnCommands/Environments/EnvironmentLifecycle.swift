internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentStart: Verb {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start an environment's services.",
        discussion: "Returns when all services are well.\n\nExample:\n  kl env start shop"
    )

    @OptionGroup var environment: EnvironmentArgument
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let name = environment.name
        try await context.withClient(wait) { client in
            try await context.conclude(
                try await client.start(environment.reference), client, wait, common, pending: "Environment \(name) is being started.",
                until: { .running($0, version: $1) }, done: { _ in "Environment \(name) is running." })
        }
    }
}

struct EnvironmentStop: Verb {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop an environment's services; volumes and connections stay.", discussion: "Example:\n  kl env stop shop"
    )

    @OptionGroup var environment: EnvironmentArgument
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let name = environment.name
        try await context.withClient(wait) { client in
            try await context.conclude(
                try await client.stop(environment.reference), client, wait, common, pending: "Environment \(name) is being stopped.",
                until: { .stopped($0, version: $1) }, done: { _ in "Environment \(name) is stopped." })
        }
    }
}

struct EnvironmentDelete: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete an environment; its volumes only with --volumes.",
        discussion:
            "Volumes that stay are found again by the next environment of that name.\n\nExamples:\n  kl env delete shop\n  kl e rm shop --volumes --yes",
        aliases: ["rm"]
    )

    @OptionGroup var environment: EnvironmentArgument
    @Flag(help: "Delete the volumes too.") var volumes = false
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.delete(
            Environment.self, environment.reference, called: environment.name, loss: { _ in volumes ? "its volumes and all data in them" : nil },
            volumes: volumes, kept: { volumes ? nil : $0.keptVolumes }, wait, common)
    }
}

extension Environment {
    /// What is to be said of the volumes that its deletion leaves.
    fileprivate var keptVolumes: String? {
        let volumes = Set(spec.services.flatMap { $0.volumes.map(\.volume.value) }).sorted()
        guard !volumes.isEmpty else { return nil }
        let names = volumes.joined(separator: ", ")
        return "Kept for the next of that name: the volumes \(names). Remove them: kl env volumes delete \(metadata.name)"
    }
}
