internal import FoundationEssentials
internal import Glibc
internal import KilnAPI
internal import KilnModel

/// A Compose file with everything that must travel along with it.
struct EnvironmentSource {
    let text: String
    /// Its name in findings, as the user wrote it.
    let file: String
    /// What the file refers to and somebody has set.
    let variables: [String: String]
    /// Path as written → text.
    let environmentFiles: [String: String]
    /// Path as written → what it holds.
    let contexts: [String: ContextTree]
    let warnings: [String]

    /// Names that are looked for when none is given, in this order.
    static let usualNames = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"]

    /// Reads the file and asks kilnd what else it needs.
    /// - Parameters:
    ///   - file: path of the Compose file; nil: the usual names in the current folder.
    ///   - environment: the process's variables; they win over a `.env` beside the file.
    init(file: String?, environment: [String: String], client: APIClient) async throws {
        let path = if let file { file } else { try Self.usual() }
        self.file = path
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) + "/" } ?? ""
        text = try Self.read(path)
        let beside = Self.exists("\(folder).env") ? try Self.read("\(folder).env") : nil
        var mentioned = VariableNames.mentioned(in: text).union(VariableNames.mentioned(in: beside ?? ""))
        let inspection = try await client.inspect(
            InspectCompose(
                compose: text, file: path, variables: environment.filter { mentioned.contains($0.key) }, variablesFile: beside
            )
        )
        var files: [String: String] = [:]
        if let beside { files[".env"] = beside }
        for reference in inspection.environmentFiles {
            let place = try Self.inside(folder, reference.path, of: path)
            guard reference.required || Self.exists(place) else { continue }
            let content = try Self.read(place)
            files[reference.path] = content
            mentioned.formUnion(VariableNames.mentioned(in: content))
        }
        mentioned.formUnion(inspection.variables)
        variables = environment.filter { mentioned.contains($0.key) }
        environmentFiles = files
        warnings = inspection.warnings
        var contexts: [String: ContextTree] = [:]
        for context in inspection.contexts {
            // The server read the file. It must not be able to ask for folders that the file does not name.
            let leaves = context.path.hasPrefix("/") || context.path.split(separator: "/").contains("..")
            guard !leaves || text.contains(context.path) else {
                throw KilnError(
                    .invalidBuildContext,
                    "The build context \(context.path.printable()) lies outside the Compose file's folder and is not written in it.",
                    hint: "Write the path in \(path) without variables."
                )
            }
            let place = context.path.hasPrefix("/") ? context.path : folder + context.path
            contexts[context.path] = try Self.tree(of: place, keeping: Set(context.containerfiles))
        }
        self.contexts = contexts
    }

    private static func tree(of path: String, keeping files: Set<String>) throws(KilnError) -> ContextTree {
        var root = path
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        var status = stat()
        guard stat(root, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw KilnError(
                .invalidBuildContext, "The build context \(root.printable()) is not a folder.", hint: "Contexts are relative to the Compose file.")
        }
        let rules = exists("\(root)/.dockerignore") ? try read("\(root)/.dockerignore") : ""
        let kept = Set(files.map { $0.hasPrefix("./") ? String($0.dropFirst(2)) : $0 }).union([".dockerignore"])
        return try ContextTree(root: root, ignore: IgnoreFile(rules), kept: kept)
    }

    /// An `env_file` may lie beside or below the Compose file only: its content travels to the server.
    private static func inside(_ folder: String, _ path: String, of file: String) throws(KilnError) -> String {
        guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
            throw KilnError(
                .invalidCompose, "The environment file \(path.printable()) of \(file) lies outside the Compose file's folder.",
                hint: "Move it beside the Compose file."
            )
        }
        return folder + path
    }

    private static func usual() throws(KilnError) -> String {
        guard let name = usualNames.first(where: exists) else {
            throw KilnError(.invalidValue, "There is no \(usualNames[0]) here.", hint: "Name the Compose file: --file PATH")
        }
        return name
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func read(_ path: String) throws(KilnError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code: KilnError.Code = errno == ENOENT ? .init("file-not-found", .usage) : .invalidFile
            throw KilnError(code, "\(path.printable()) cannot be read: \(String(cString: strerror(errno))).", hint: "ls -l \(path.printable())")
        }
        defer { close(descriptor) }
        guard let bytes = readAll(descriptor), bytes.count <= 1 << 20, let text = String(validating: bytes, as: UTF8.self) else {
            throw KilnError(.init("invalid-file", .usage), "\(path.printable()) is not a text file of at most 1 MiB.")
        }
        return text
    }
}
