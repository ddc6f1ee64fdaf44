internal import Glibc
internal import KilnAPI
internal import KilnModel

/// Compose files with everything that must travel along with them, found by asking kilnd what they need.
struct EnvironmentSource {
    let sources: ComposeSources
    /// Path as kilnd says it → what it holds.
    private(set) var contexts: [String: ContextTree] = [:]
    private(set) var copies: [String: (kind: FileCopy.Kind, tree: ContextTree)] = [:]
    private(set) var secrets: [ComposeBundle.Secret] = []
    private(set) var warnings: [String]

    private let folder: ProjectFolder

    /// - Parameters:
    ///   - files: paths of the Compose files; none: the usual names in the current folder.
    ///   - environment: an environment that is there already, whose secrets the files may name.
    init(files: [String], profiles: [String], environment: String? = nil, context: Context, client: APIClient) async throws {
        let (sources, inspection) = try await Self.gather(files: files, profiles: profiles, context: context) { sources in
            let answer = try await client.inspect(InspectCompose(sources: sources, environment: environment))
            return (answer.needs, answer.variables, answer)
        }
        self.sources = sources
        warnings = inspection.warnings
        folder = ProjectFolder(of: sources.files[0].path)
        for context in inspection.contexts { contexts[context.path] = try tree(context) }
        for copy in inspection.copies { copies[copy.path] = try tree(copy) }
        for file in inspection.secretFiles { secrets.append(try secret(file)) }
    }

    /// Reads the files, and what they refer to, until kilnd needs no more.
    /// - Parameter ask: sends what there is; answers with what is needed besides, the variables that were named, and the whole answer.
    static func gather<Answer>(
        files: [String], profiles: [String], context: Context,
        ask: (ComposeSources) async throws -> (needs: [ComposeInspection.NeededText], variables: [String], answer: Answer)
    ) async throws -> (ComposeSources, Answer) {
        let paths = try ComposeOptions.paths(files)
        let folder = ProjectFolder(of: paths[0])
        var sources = ComposeSources(
            files: try paths.map { .init(path: $0, text: try ProjectFolder.read($0)) }, profiles: profiles,
            directory: folder.absolute(context.environment))
        // Compose's name for the variables of a project (Compose specification, “.env file”).
        let beside = folder.place(".env")
        if ProjectFolder.exists(beside) { sources.texts[".env"] = try ProjectFolder.read(beside) }
        for _ in 0..<maximumRounds {
            let texts = sources.files.map { ($0.path, $0.text) } + sources.texts.map { ($0.key, $0.value) }
            let mentioned = texts.reduce(into: Set<String>()) {
                $0.formUnion(VariableNames.mentioned(in: $1.1, of: context.environment.keys))
            }
            sources.variables = context.environment.filter { mentioned.contains($0.key) }
            let (needs, _, answer) = try await ask(sources)
            guard !needs.isEmpty else { return (sources, answer) }
            // Paths of the first files are relative to the folder, whatever the user called them.
            let written = sources.files.map { ("", $0.text) } + sources.texts.map { ($0.key, $0.value) }
            for need in needs where sources.texts[need.path] == nil { try add(need, to: &sources, from: folder, written) }
        }
        throw KilnError(.invalidCompose, "The files refer to others more than \(maximumRounds) deep.", hint: "Put them together.")
    }

    private static let maximumRounds = 40

    private static func add(
        _ need: ComposeInspection.NeededText, to sources: inout ComposeSources, from folder: ProjectFolder, _ written: [(String, String)]
    ) throws(KilnError) {
        guard ProjectFolder.isInside(need.path) || ProjectFolder.isWritten(need.path, in: written) else {
            throw KilnError(
                .invalidCompose, "\(need.path.printable()) lies outside the Compose file's folder and is not written in it.",
                hint: "Move it beside the Compose file, or write its path without variables.")
        }
        let place = folder.place(need.path)
        if ProjectFolder.exists(place) {
            sources.texts[need.path] = try ProjectFolder.read(place)
        } else {
            sources.absent.append(need.path)
        }
    }

    private func tree(_ context: ComposeInspection.Context) throws(KilnError) -> ContextTree {
        let written = sources.files.map { ("", $0.text) } + sources.texts.map { ($0.key, $0.value) }
        guard ProjectFolder.isInside(context.path) || ProjectFolder.isWritten(context.path, in: written) else {
            throw KilnError(
                .invalidBuildContext,
                "The build context \(context.path.printable()) lies outside the Compose file's folder and is not written in it.",
                hint: "Write the path in \(sources.files[0].path) without variables."
            )
        }
        let root = Self.withoutSlash(folder.place(context.path))
        var status = stat()
        guard stat(root, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw KilnError(
                .invalidBuildContext, "The build context \(root.printable()) is not a folder.", hint: "Contexts are relative to the Compose file.")
        }
        let rules = ProjectFolder.exists("\(root)/.dockerignore") ? try ProjectFolder.read("\(root)/.dockerignore") : ""
        let kept = Set(context.containerfiles.map { $0.hasPrefix("./") ? String($0.dropFirst(2)) : $0 }).union([".dockerignore"])
        return try ContextTree(root: root, ignore: IgnoreFile(rules), kept: kept)
    }

    private mutating func tree(_ copy: ComposeInspection.Copy) throws(KilnError) -> (FileCopy.Kind, ContextTree) {
        let place = try inside(copy.path)
        var status = stat()
        guard stat(place, &status) == 0 else {
            guard errno == ENOENT, copy.mayBeMissing else {
                throw KilnError(
                    .init("file-not-found", .usage),
                    "\(place.printable()), which a service sees, cannot be read: \(String(cString: strerror(errno))).",
                    hint: "ls -ld \(place.printable())")
            }
            warnings.append("\(place.printable()) does not exist; services see an empty folder.")
            return (.folder, ContextTree(emptyFolder: place))
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return (.file, ContextTree(file: place, mode: UInt32(status.st_mode & 0o777), size: Int(status.st_size)))
        case S_IFDIR:
            let tree = try ContextTree(root: place, ignore: IgnoreFile(""), kept: [], strictness: .leavesOut)
            for path in tree.leftOut { warnings.append("\(place.printable())/\(path.printable()) stays behind: it leads out of the folder.") }
            return (.folder, tree)
        default:
            throw KilnError(
                .init("invalid-file", .usage), "\(place.printable()) is neither a file nor a folder.", hint: "Remove it from the Compose file.")
        }
    }

    private func secret(_ file: ComposeInspection.SecretFile) throws(KilnError) -> ComposeBundle.Secret {
        let bytes = try ProjectFolder.readBytes(inside(file.path), limit: SecretBytes.maximumSize)
        return ComposeBundle.Secret(name: file.name, value: try SecretBytes(bytes))
    }

    private func inside(_ path: String) throws(KilnError) -> String {
        guard ProjectFolder.isInside(path) else {
            throw KilnError(.invalidCompose, "\(path.printable()) lies outside the Compose file's folder.", hint: "Move it beside the Compose file.")
        }
        return Self.withoutSlash(folder.place(path))
    }

    private static func withoutSlash(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
