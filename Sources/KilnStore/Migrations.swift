internal import GRDB
internal import KilnModel

/// The tables, in the order in which they came to be. A migration that was released is never edited.
enum Migrations {
    static func run(on database: DatabasePool) throws {
        let migrator = make()
        if try database.read(migrator.hasBeenSuperseded) {
            throw KilnError(
                .internalError, "The store was written by a newer Kiln than this one.", hint: "Start the newer kilnd again."
            )
        }
        try migrator.migrate(database)
    }

    private static func make() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 resources, feed, tokens") { db in
            // `document` is the whole resource as JSON; the other columns repeat what is looked up, kept unique or referred to.
            try db.execute(
                sql: """
                    CREATE TABLE resource (
                        id TEXT NOT NULL PRIMARY KEY,
                        kind TEXT NOT NULL,
                        owner TEXT NOT NULL,
                        name TEXT NOT NULL,
                        version INTEGER NOT NULL,
                        phase TEXT NOT NULL,
                        workmachine TEXT REFERENCES resource(id),
                        connection TEXT REFERENCES resource(id),
                        address_index INTEGER,
                        range_index INTEGER UNIQUE,
                        document TEXT NOT NULL,
                        UNIQUE (kind, owner, name),
                        UNIQUE (kind, address_index)
                    ) STRICT;
                    CREATE INDEX resource_workmachine ON resource(workmachine) WHERE workmachine IS NOT NULL;
                    CREATE INDEX resource_connection ON resource(connection) WHERE connection IS NOT NULL;
                    -- Volumes outlive their environment: the next one of this owner and name takes them over, ids and all.
                    CREATE TABLE volume_set (
                        owner TEXT NOT NULL,
                        name TEXT NOT NULL,
                        id TEXT NOT NULL,
                        range_index INTEGER NOT NULL UNIQUE,
                        PRIMARY KEY (owner, name)
                    ) STRICT;
                    CREATE TABLE issued_id (id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
                    CREATE TABLE feed (
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                        kind TEXT NOT NULL,
                        id TEXT NOT NULL,
                        owner TEXT NOT NULL,
                        document TEXT
                    ) STRICT;
                    CREATE TABLE token (
                        id TEXT NOT NULL PRIMARY KEY,
                        owner TEXT NOT NULL,
                        admin INTEGER NOT NULL,
                        label TEXT NOT NULL,
                        hash BLOB NOT NULL UNIQUE,
                        created_at REAL NOT NULL,
                        last_used_at REAL,
                        revoked_at REAL
                    ) STRICT;
                    """
            )
        }
        migrator.registerMigration("2 secrets") { db in
            try db.execute(
                sql: """
                    CREATE TABLE secret (
                        version INTEGER PRIMARY KEY AUTOINCREMENT,
                        environment TEXT NOT NULL REFERENCES resource(id) ON DELETE CASCADE,
                        name TEXT NOT NULL,
                        sealed BLOB NOT NULL,
                        UNIQUE (environment, name)
                    ) STRICT;
                    """
            )
        }
        migrator.registerMigration("sources of environments") { db in
            try db.execute(
                sql: """
                    -- What an environment was made of. Beside its document, which travels with every event.
                    CREATE TABLE environment_source (
                        environment TEXT NOT NULL PRIMARY KEY REFERENCES resource(id) ON DELETE CASCADE,
                        sealed BLOB NOT NULL
                    ) STRICT;
                    -- Whether an environment with volumes ever had it; 2: it is being deleted.
                    ALTER TABLE volume_set ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
                    """
            )
        }
        migrator.registerMigration("packages") { db in
            try db.execute(
                sql: """
                    CREATE TABLE package_generation (
                        workspace TEXT NOT NULL REFERENCES resource(id) ON DELETE CASCADE,
                        number INTEGER NOT NULL,
                        document TEXT NOT NULL,
                        PRIMARY KEY (workspace, number)
                    ) STRICT, WITHOUT ROWID;
                    -- Workspaces from before have no packages.
                    UPDATE resource SET document = json_insert(document, '$.spec.packages', json('[]'), '$.spec.packageGeneration', 0)
                    WHERE kind = 'workspaces';
                    UPDATE feed SET document = json_insert(document, '$.spec.packages', json('[]'), '$.spec.packageGeneration', 0)
                    WHERE kind = 'workspaces' AND document IS NOT NULL;
                    """
            )
        }
        migrator.registerMigration("sharing, audit") { db in
            try db.execute(
                sql: """
                    -- Repeats what environments say themselves, so that what is shared with somebody can be looked up.
                    CREATE TABLE share (
                        environment TEXT NOT NULL REFERENCES resource(id) ON DELETE CASCADE,
                        owner TEXT NOT NULL,
                        PRIMARY KEY (environment, owner)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX share_owner ON share(owner);
                    UPDATE resource SET document = json_set(document, '$.spec.sharedWith', json('[]')) WHERE kind = 'environments';
                    CREATE TABLE audit (
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                        time REAL NOT NULL,
                        owner TEXT NOT NULL,
                        action TEXT NOT NULL,
                        status INTEGER NOT NULL,
                        record TEXT NOT NULL
                    ) STRICT;
                    CREATE TRIGGER audit_stays_as_written BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit records are never changed'); END;
                    CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit records are never deleted'); END;
                    """
            )
        }
        migrator.registerMigration("bounds of the audit") { db in
            try db.execute(
                sql: """
                    -- AuditTable's bounds, and a day less of age: no difference of clocks must fail the change that drives a record out.
                    DROP TRIGGER audit_stays;
                    CREATE TRIGGER audit_stays BEFORE DELETE ON audit
                    WHEN OLD.time > unixepoch() - 89 * 86400 AND OLD.sequence > (SELECT max(sequence) FROM audit) - 100000
                    BEGIN SELECT RAISE(ABORT, 'audit records are not deleted before their time'); END;
                    """
            )
        }
        migrator.registerMigration("times and kinds as the API has them") { db in
            for row in try Row.fetchAll(db, sql: "SELECT id, document FROM resource") {
                try db.execute(sql: "UPDATE resource SET document = ? WHERE id = ?", arguments: [OldJSON.renewed(row["document"]), row["id"]])
            }
            for row in try Row.fetchAll(db, sql: "SELECT workspace, number, document FROM package_generation") {
                try db.execute(
                    sql: "UPDATE package_generation SET document = ? WHERE workspace = ? AND number = ?",
                    arguments: [OldJSON.renewed(row["document"]), row["workspace"], row["number"]])
            }
            // Whoever followed is told that it has expired, and reads anew.
            try db.execute(sql: "DELETE FROM feed")
        }
        return migrator
    }
}
