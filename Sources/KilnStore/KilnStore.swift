internal import FoundationEssentials
internal import GRDB
public import KilnModel

/// kilnd's memory: resources, the feed of their changes, and the tokens that may ask for them, in one SQLite file.
///
/// It offers verbs, not SQL. Every verb is one transaction, errors are `KilnError`, and another process may use the same file at the same
/// time (`kilnd token create` does).
public final class KilnStore: Sendable {
    let database: DatabasePool
    let path: String
    let feedLength: Int
    let vault: SecretVault
    let signal: FeedSignal
    let now: @Sendable () -> Timestamp
    /// For whom it is changed: what it changes is noted in the audit.
    let author: (any ChangeAuthor)?

    /// Opens the file, making it (mode 0600) where it is missing, and brings its tables up to date.
    /// - Parameters:
    ///   - path: of the SQLite file; its directory must exist.
    ///   - feedLength: how many of the last changes stay readable.
    ///   - now: the clock.
    /// - Throws: `KilnError` when the file cannot be opened, is no database, or comes from a newer Kiln.
    public init(
        path: String, feedLength: Int = 10_000, now: @escaping @Sendable () -> Timestamp = KilnStore.systemTime
    ) throws {
        self.path = path
        self.feedLength = feedLength
        self.now = now
        author = nil
        signal = FeedSignal()
        try StoreFile.prepare(at: path)
        do {
            var configuration = Configuration()
            configuration.busyMode = .timeout(5)
            configuration.maximumReaderCount = 3
            // Two that open a new store at once would both make its tables.
            database = try StoreFile.exclusively(path) {
                let database = try DatabasePool(path: path, configuration: configuration)
                try Migrations.run(on: database)
                return database
            }
            signal.advance(to: try database.read { try FeedTable.lastSequence($0) })
            let isNew =
                try database.read {
                    try Bool.fetchOne($0, sql: "SELECT NOT EXISTS (SELECT 1 FROM secret UNION ALL SELECT 1 FROM environment_source)")
                } ?? false
            vault = try SecretVault(path: Self.keyPath(beside: path), makesKey: isNew)
        } catch let error as DatabaseError {
            throw error.kilnError(path: path)
        }
    }

    private init(_ store: KilnStore, author: any ChangeAuthor) {
        database = store.database
        path = store.path
        feedLength = store.feedLength
        vault = store.vault
        signal = store.signal
        now = store.now
        self.author = author
    }

    /// The same store, which notes what it changes in the same transaction: a change that cannot be noted does not happen.
    public func changed(for author: any ChangeAuthor) -> KilnStore { KilnStore(self, author: author) }

    /// Where the key of the secrets lies: `secrets.key` in the directory of the file.
    static func keyPath(beside path: String) -> String {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        return directory + "secrets.key"
    }

    /// The system's clock.
    public static func systemTime() -> Timestamp { Timestamp(seconds: Date().timeIntervalSince1970) }

    /// Closes the file; the store is of no use afterwards.
    public func close() throws {
        try database.close()
    }

    /// Whether the file can be read, for readiness.
    public func check() async throws {
        _ = try await read { try Int.fetchOne($0, sql: "SELECT count(*) FROM token") }
    }

    /// Whether secrets can be sealed and opened.
    /// - Throws: `internal-error` when the key is not there, or is not the one that was used.
    public func checkKey() throws {
        let probe = Data("probe".utf8)
        guard try vault.open(vault.seal(probe, for: "probe"), for: "probe") == probe else {
            throw KilnError(.internalError, "A secret is not what it was.", hint: "Restore the key from a backup.")
        }
        // One that was sealed by whoever had the key before.
        if let (id, name, sealed) = try database.read({ db in
            try Row.fetchOne(db, sql: "SELECT environment, name, sealed FROM secret LIMIT 1").map {
                (try ResourceID($0["environment"]), try SecretName($0["name"]), $0["sealed"] as Data)
            }
        }) {
            _ = try vault.openSecret(sealed, for: SecretValue.place(name, of: id))
        }
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await database.read(body)
        } catch let error as DatabaseError {
            throw error.kilnError(path: path)
        }
    }

    /// One transaction on the writer; followers of the feed wake after its commit.
    /// - Parameter durable: whether it must survive a power cut. What can be observed again need not, which spares it the disk's flush.
    func write<Value: Sendable>(
        durable: Bool = true, _ body: @escaping @Sendable (StoreTransaction) throws -> Value
    ) async throws -> Value {
        do {
            return try await database.writeWithoutTransaction { [now, feedLength, signal, author] db in
                try db.execute(sql: durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
                let transaction = StoreTransaction(database: db, time: now(), feedLength: feedLength)
                var result: Value?
                var isNoted = false
                try db.inTransaction(.immediate) {
                    result = try body(transaction)
                    // What is only observed is nobody's request.
                    if durable, let record = author?.record(creating: transaction.created) {
                        try AuditTable.append(record, at: transaction.time, in: db)
                        isNoted = true
                    }
                    return .commit
                }
                if isNoted { author?.noted() }
                if let sequence = transaction.lastSequence { signal.advance(to: sequence) }
                guard let result else { throw KilnError(.internalError, "A transaction ended without a result.") }
                return result
            }
        } catch let error as DatabaseError {
            throw error.kilnError(path: path)
        }
    }
}
