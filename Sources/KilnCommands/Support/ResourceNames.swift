internal import KilnAPI
internal import KilnModel

/// Names for the ids that resources refer to. Where the caller may not see a resource, its id stands for it.
struct ResourceNames: Sendable {
    private var names: [ResourceID: Name] = [:]

    init(_ resources: [Metadata]) {
        for metadata in resources { names[metadata.id] = metadata.name }
    }

    init(_ client: APIClient) async throws {
        try await self.init(Self.visible(Workmachine.self, client) + Self.visible(Environment.self, client))
    }

    private static func visible<Item: Resource>(_ type: Item.Type, _ client: APIClient) async throws -> [Metadata] {
        do {
            return try await client.list(Item.self).map(\.metadata)
        } catch let error as KilnError where error.code.category == .notAllowed {
            return []
        }
    }

    func workmachine(_ id: ResourceID) -> String { names[id]?.value ?? id.value }
    func environment(_ id: ResourceID) -> String { names[id]?.value ?? id.value }
}
