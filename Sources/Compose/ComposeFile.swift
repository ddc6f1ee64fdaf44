/// Reads Compose files: text in, services of `KilnModel` out. Pure; whatever the file refers to is handed in by the caller.
///
/// Reading happens twice, with the same result: `kl` reads to learn which contexts and files must travel along, kilnd reads what arrived.
public enum ComposeFile {
    /// Largest file that is read, in bytes.
    public static let maximumSize = 256 << 10

    /// Reads a file.
    /// - Parameters:
    ///   - text: the file's content.
    ///   - file: what to call it in findings.
    ///   - variables: what `${NAME}` in values stands for.
    /// - Throws: `ComposeError` with everything that is wrong, not the first thing only.
    public static func read(text: String, file: String, variables: [String: String]) throws(ComposeError) -> ComposeProject {
        let root = try YAMLDocument(text: text, file: file).root()
        let reading = Reading(file: file, variables: variables)
        let project = reading.project(root)
        if let error = ComposeError(reading.findings) { throw error }
        return project
    }
}
