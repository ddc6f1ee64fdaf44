/// Reads Compose files: text in, services of `KilnModel` out. Pure; whatever the files refer to is handed in by the caller.
///
/// kilnd reads twice, with the same result: to say what must travel along, and what arrived.
public enum ComposeFile {
    /// Largest file that is read, in bytes.
    public static let maximumSize = 256 << 10

    /// Reads a project. While `needs` of the result is not empty it is incomplete: hand these files in and read again.
    /// - Throws: `ComposeError` with everything that is wrong, not the first thing only.
    public static func read(_ input: ComposeInput) throws(ComposeError) -> ComposeProject {
        let (reading, project) = pass(over: input)
        guard project.needs.isEmpty else { return project }
        if let error = ComposeError(reading.findings) { throw error }
        return project
    }

    /// Reads a project for the sake of what is to be said about it.
    /// - Returns: what keeps it from becoming services, and what should be said besides; the project unless there is the former.
    public static func examine(_ input: ComposeInput) -> (project: ComposeProject?, errors: [ComposeFinding], warnings: [ComposeFinding]) {
        let (reading, project) = pass(over: input)
        let errors = ComposeError(reading.findings)?.findings ?? []
        let isUsable = errors.isEmpty || !project.needs.isEmpty
        return (isUsable ? project : nil, project.needs.isEmpty ? errors : [], project.warnings)
    }

    /// An external secret may stand in a variable before it has a value, but which ones are external the files themselves say: those that are not
    /// known yet take a second pass.
    private static func pass(over input: ComposeInput) -> (Reading, ComposeProject) {
        let reading = Reading(input)
        let project = reading.project()
        let external = Set(project.secrets.compactMap { if case .environment = $0.source { $0.name } else { nil } })
        guard !external.isSubset(of: input.secrets) else { return (reading, project) }
        var input = input
        input.secrets.formUnion(external)
        let second = Reading(input)
        return (second, second.project())
    }
}
