internal import Crypto
internal import FoundationEssentials
internal import GRDB
public import KilnModel

/// A bearer token as the store knows it; its text is known only to whoever made it.
public struct TokenRecord: Sendable, Hashable {
    public let id: String
    public let owner: Name
    public let admin: Bool
    public let label: String
    public let createdAt: Timestamp
    /// To the minute.
    public let lastUsedAt: Timestamp?
}

extension KilnStore {
    /// Seconds between two notes of a token's use: a read must not cost a write.
    private static let useInterval = 60.0

    /// Makes a token. Its text is returned once and not kept: the store holds its SHA-256.
    /// - Parameter label: what it is for, at most 100 printable ASCII characters.
    public func createToken(owner: Name, admin: Bool, label: String) async throws -> (record: TokenRecord, text: String) {
        guard label.utf8.count <= 100, label.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            throw KilnError(.invalidValue, "“\(label.printable(limit: 40))” is not a label.", hint: "Use at most 100 printable ASCII characters.")
        }
        let secret = Token.random()
        return try await write { transaction in
            let record = TokenRecord(
                id: ResourceID.random().value, owner: owner, admin: admin, label: label, createdAt: transaction.time, lastUsedAt: nil
            )
            try transaction.database.execute(
                sql: "INSERT INTO token (id, owner, admin, label, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [record.id, owner.value, admin, label, Token.hash(secret), record.createdAt.seconds]
            )
            return (record, secret)
        }
    }

    /// The token with this text, unless it was revoked.
    public func token(_ text: String) async throws -> TokenRecord? {
        guard text.hasPrefix(Token.prefix) else { return nil }
        let hash = Token.hash(text)
        let record = try await read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM token WHERE hash = ? AND revoked_at IS NULL", arguments: [hash]).map(TokenRecord.init)
        }
        guard let record else { return nil }
        if now() - (record.lastUsedAt ?? 0) > Self.useInterval {
            try await write(durable: false) { transaction in
                try transaction.database.execute(
                    sql: "UPDATE token SET last_used_at = ? WHERE id = ?", arguments: [transaction.time.seconds, record.id]
                )
            }
        }
        return record
    }

    /// All tokens that are not revoked.
    public func tokens() async throws -> [TokenRecord] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM token WHERE revoked_at IS NULL ORDER BY created_at, id").map(TokenRecord.init)
        }
    }

    /// - Throws: `not-found` when no token that is in force has this id.
    public func revokeToken(_ id: String) async throws {
        try await write { transaction in
            try transaction.database.execute(
                sql: "UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", arguments: [transaction.time.seconds, id]
            )
            guard transaction.database.changesCount == 1 else {
                throw KilnError(.notFound, "There is no token with the id \(id.printable(limit: 40)).", hint: "List them with: kilnd token list")
            }
        }
    }
}

/// The text of a token: `kiln_` and 32 random bytes in base64url (RFC 4648 section 5), without padding.
enum Token {
    static let prefix = "kiln_"

    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = Data((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
        let text = bytes.base64EncodedString().map { character -> Character in
            switch character {
            case "+": "-"
            case "/": "_"
            default: character
            }
        }
        return prefix + String(text.filter { $0 != "=" })
    }

    /// A plain hash is enough: the text holds 256 random bits, so there is nothing to guess.
    static func hash(_ text: String) -> Data { Data(SHA256.hash(data: Data(text.utf8))) }
}

extension TokenRecord {
    init(_ row: Row) throws {
        id = row["id"]
        owner = try Name(row["owner"])
        admin = row["admin"]
        label = row["label"]
        createdAt = Timestamp(seconds: row["created_at"])
        lastUsedAt = (row["last_used_at"] as Double?).map(Timestamp.init(seconds:))
    }
}
