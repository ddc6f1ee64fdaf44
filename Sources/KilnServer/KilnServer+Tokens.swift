public import KilnModel
public import KilnStore

/// Tokens, for whoever may read and write kilnd's store: works while kilnd runs.
extension KilnServer {
    /// - Returns: the token's text, which is kept nowhere.
    public static func createToken(_ configuration: Configuration, owner: Name, admin: Bool, label: String) async throws -> String {
        let store = try openStore(configuration)
        let text = try await store.createToken(owner: owner, admin: admin, label: label).text
        try store.close()
        return text
    }

    public static func tokens(_ configuration: Configuration) async throws -> [TokenRecord] {
        let store = try openStore(configuration)
        let tokens = try await store.tokens()
        try store.close()
        return tokens
    }

    /// - Throws: `not-found` when no token in force has the id.
    public static func revokeToken(_ configuration: Configuration, id: String) async throws {
        let store = try openStore(configuration)
        try await store.revokeToken(id)
        try store.close()
    }
}
