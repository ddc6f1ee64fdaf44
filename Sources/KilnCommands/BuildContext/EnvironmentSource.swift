internal import Compose
internal import FoundationEssentials
internal import Glibc
internal import KilnModel

/// A Compose file with everything that must travel along with it. The only place in `kl` that reads Compose.
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

    /// - Parameters:
    ///   - file: path of the Compose file; nil: the usual names in the current folder.
    ///   - environment: the process's variables; they win over a `.env` beside the file.
    init(file: String?, environment: [String: String]) throws(KilnError) {
        let path = if let file { file } else { try Self.usual() }
        self.file = path
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) + "/" } ?? ""
        let text = try Self.read(path)
        self.text = text
        var known = environment
        let project: ComposeProject
        let services: [Service]
        var files: [String: String] = [:]
        var digests: [String: ContentDigest] = [:]
        do {
            if Self.exists("\(folder).env") {
                let beside = try EnvironmentFile.read(text: Self.read("\(folder).env"), file: "\(folder).env", variables: environment)
                known = Dictionary(beside.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }).merging(environment) { $1 }
            }
            project = try ComposeFile.read(text: text, file: path, variables: known)
            for reference in project.environmentFiles {
                let place = try Self.inside(folder, reference.path, of: path)
                if reference.required || Self.exists(place) { files[reference.path] = try Self.read(place) }
            }
            // Which Containerfile belongs to which context only the services say; numbers stand in for the digests not known yet.
            for (index, context) in project.contexts.enumerated() { digests[context] = try Self.placeholder(index) }
            services = try project.services(contexts: digests, environmentFiles: files, keeping: [])
        } catch let error as ComposeError {
            throw error.kilnError
        } catch let error as KilnError {
            throw error
        } catch {
            throw KilnError(.invalidCompose, "\(path): \(error)")
        }
        let referenced = files.values.reduce(into: project.referencedVariables) { $0.formUnion(EnvironmentFile.referencedVariables(text: $1)) }
        variables = known.filter { referenced.contains($0.key) }
        environmentFiles = files
        warnings = project.warnings.map(\.description)
        var contexts: [String: ContextTree] = [:]
        for context in project.contexts {
            let builds = services.compactMap { service in
                if case .build(let build) = service.image, build.context == digests[context] { build.containerfile } else { nil }
            }
            contexts[context] = try Self.tree(of: context.hasPrefix("/") ? context : folder + context, keeping: Set(builds))
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

    private static func placeholder(_ index: Int) throws(KilnError) -> ContentDigest {
        let digits = String(index, radix: 16)
        return try ContentDigest(String(repeating: "0", count: 64 - digits.count) + digits)
    }
}
