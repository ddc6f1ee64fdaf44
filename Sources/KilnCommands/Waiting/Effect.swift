internal import KilnAPI
internal import KilnModel

extension Context {
    func waiter<Item: ShownResource>(for item: Item, _ client: APIClient, _ options: WaitOptions) -> Waiter {
        Waiter(
            client: client, output: output, limit: options.timeout, subject: item.title, look: "\(Item.showCommand) \(item.metadata.name)")
    }

    /// Prints a verb's result: the resource as JSON, or a sentence.
    func finish(_ resource: some Encodable, json: Bool, _ sentence: String) throws {
        if json { try output.json(resource) } else { output.line(sentence) }
    }

    /// Waits, unless told not to, until what was asked for has come about, and says so.
    /// - Parameters:
    ///   - pending: says that it will.
    ///   - judge: how far it is; gets the version that was asked for.
    ///   - done: says that it has.
    func conclude<Item: ShownResource>(
        _ asked: Item, _ client: APIClient, _ wait: WaitOptions, _ common: CommonOptions, pending: String,
        until judge: @escaping @Sendable (Item, Int) -> Verdict, done: (Item) -> String
    ) async throws {
        guard !wait.noWait else { return try finish(asked, json: common.json, pending) }
        let version = asked.metadata.version
        let item = try await waiter(for: asked, client, wait).until(asked) { judge($0, version) }
        try finish(item, json: common.json, done(item))
    }

    /// Asks, deletes, and waits until it is gone.
    /// - Parameters:
    ///   - called: the name as it was given.
    ///   - loss: what goes along: `everything in its home`, say.
    func delete<Item: ShownResource>(
        _ type: Item.Type, _ reference: Reference, called name: QualifiedName, loss: (Item) -> String?, volumes: Bool = false,
        kept: (Item) -> String? = { _ in nil }, _ wait: WaitOptions, _ common: CommonOptions
    ) async throws {
        try checkCanAsk(common)
        try await withClient { client in
            let found = try await client.get(Item.self, reference)
            try confirm("Delete \(Item.noun) \(name)\(loss(found).map { " with \($0)" } ?? "")", common)
            // By id: one made meanwhile under the same name is not the one that was asked about.
            try await client.delete(Item.kind, .id(found.metadata.id), volumes: volumes)
            guard !wait.noWait else { return try finish(found, json: common.json, "\(Item.capitalizedNoun) \(name) is being deleted.") }
            try await waiter(for: found, client, wait).untilGone(found) { .working(phase: $0.phaseText, activity: $0.reason?.message) }
            try finish(found, json: common.json, "\(Item.capitalizedNoun) \(name) is deleted.\(kept(found).map { " \($0)" } ?? "")")
        }
    }
}

extension Table {
    /// A table of resources; the owner is shown where there are several.
    init<Item: ShownResource>(of items: [Item], header: [String], row: (Item) -> [Cell]) {
        let showsOwner = Set(items.map(\.metadata.owner)).count > 1
        self.init(header: (showsOwner ? ["OWNER"] : []) + header)
        rows = items.map { (showsOwner ? [Cell($0.metadata.owner.value)] : []) + row($0) }
    }
}
