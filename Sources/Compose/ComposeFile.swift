/// Reads Compose files: text in, services of `KilnModel` out. Pure; whatever the files refer to is handed in by the caller.
///
/// kilnd reads twice, with the same result: to say what must travel along, and what arrived.
public enum ComposeFile {
    /// Largest file that is read, in bytes.
    public static let maximumSize = 256 << 10

    /// Reads a project. While `needs` of the result is not empty it is incomplete: hand these files in and read again.
    /// - Throws: `ComposeError` with everything that is wrong, not the first thing only.
    public static func read(_ input: ComposeInput) throws(ComposeError) -> ComposeProject {
        let reading = Reading(input)
        let project = reading.project()
        guard project.needs.isEmpty else { return project }
        if let error = ComposeError(reading.findings) { throw error }
        return project
    }

    /// Reads a project for the sake of what is to be said about it.
    /// - Returns: what keeps it from becoming services, and what should be said besides; the project unless there is the former.
    public static func examine(_ input: ComposeInput) -> (project: ComposeProject?, errors: [ComposeFinding], warnings: [ComposeFinding]) {
        let reading = Reading(input)
        let project = reading.project()
        let errors = ComposeError(reading.findings)?.findings ?? []
        let isUsable = errors.isEmpty || !project.needs.isEmpty
        return (isUsable ? project : nil, project.needs.isEmpty ? errors : [], project.warnings)
    }
}
