internal import FoundationEssentials
internal import GRDB
internal import KilnModel

/// The table of the lists of packages that workspaces have had.
enum PackageTable {
    /// Newest first.
    static func generations(of workspace: ResourceID, newest limit: Int, in db: Database) throws -> [PackageGeneration] {
        try String.fetchAll(
            db, sql: "SELECT document FROM package_generation WHERE workspace = ? ORDER BY number DESC LIMIT ?", arguments: [workspace.value, limit]
        ).map(decode)
    }

    static func generation(_ number: Int, of workspace: ResourceID, in db: Database) throws -> PackageGeneration? {
        try String.fetchOne(
            db, sql: "SELECT document FROM package_generation WHERE workspace = ? AND number = ?", arguments: [workspace.value, number]
        ).map(decode)
    }

    private static func decode(_ text: String) throws -> PackageGeneration {
        do {
            return try JSONDecoder().decode(PackageGeneration.self, from: Data(text.utf8))
        } catch {
            throw KilnError(.internalError, "A generation of packages in the store cannot be read: \(error).")
        }
    }

    static func text(of generation: PackageGeneration) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(generation), as: UTF8.self)
    }
}
