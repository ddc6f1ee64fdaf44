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
        try await context.withClient { client in
            let asked = try await client.start(environment.reference)
            guard !wait.noWait else { return try context.finish(asked, json: common.json, "Environment \(environment.name) is being started.") }
            let done = try await context.waiter(for: asked, client, wait).until(asked) { .running($0, version: asked.metadata.version) }
            try context.finish(done, json: common.json, "Environment \(environment.name) is running.")
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
        try await context.withClient { client in
            let asked = try await client.stop(environment.reference)
            guard !wait.noWait else { return try context.finish(asked, json: common.json, "Environment \(environment.name) is being stopped.") }
            let done = try await context.waiter(for: asked, client, wait).until(asked) { .stopped($0, version: asked.metadata.version) }
            try context.finish(done, json: common.json, "Environment \(environment.name) is stopped.")
        }
    }
}

struct EnvironmentDelete: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete an environment; its volumes only with --volumes.",
        discussion: "Examples:\n  kl env delete shop\n  kl e rm shop --volumes --yes", aliases: ["rm"]
    )

    @OptionGroup var environment: EnvironmentArgument
    @Flag(help: "Delete the volumes too.") var volumes = false
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try context.checkCanAsk(common)
        try await context.withClient { client in
            let found = try await client.get(Environment.self, environment.reference)
            try context.confirm("Delete environment \(environment.name)\(volumes ? " with its volumes and all data in them" : "")", common)
            // By id: an environment made meanwhile under the same name is not the one that was asked about.
            try await client.delete(.environment, .id(found.metadata.id), volumes: volumes)
            guard !wait.noWait else { return try context.finish(found, json: common.json, "Environment \(environment.name) is being deleted.") }
            try await context.waiter(for: found, client, wait).untilGone(found) {
                .deleting(phase: $0.status.phase.rawValue, reason: $0.status.reason, isObserved: $0.status.observedVersion > found.metadata.version)
            }
            try context.finish(found, json: common.json, "Environment \(environment.name) is deleted.")
        }
    }
}
