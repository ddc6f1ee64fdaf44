import FileWork
import FoundationEssentials
import KilnModel

/// The restart records of containers, each a file that goes with its container.
struct RestartRecords: Sendable {
    /// Holds one directory for each container.
    let directory: String

    /// nil when there is none.
    func record(of container: String) throws -> RestartRecord? {
        guard let text = try TrustedFiles.readText(path(container)) else { return nil }
        do {
            return try JSONDecoder().decode(RestartRecord.self, from: Data(text.utf8))
        } catch is DecodingError {
            // Another version's: the count begins anew.
            return nil
        }
    }

    func set(_ record: RestartRecord, of container: String) throws {
        let text = String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
        try TrustedFiles.update(path(container), with: text, mode: 0o600)
    }

    private func path(_ container: String) -> String { "\(directory)/\(container)/restarts" }
}
