public import KilnModel

/// What a Compose file describes, read and checked; what lies outside the file is still to be handed in.
public struct ComposeProject: Sendable {
    /// The top-level `name`, if there is one.
    public internal(set) var name: String?
    /// Paths of the build contexts as written in the file, variables filled in; without repetitions.
    public internal(set) var contexts: [String] = []
    /// The files that `env_file` names; without repetitions.
    public internal(set) var environmentFiles: [EnvironmentFileReference] = []
    /// Every variable the file refers to, set or not.
    public internal(set) var referencedVariables: Set<String> = []
    /// What does no harm but should be said: variables that are not set, keys without effect.
    public internal(set) var warnings: [ComposeFinding] = []

    var file: String
    var variables: [String: String]
    var drafts: [ServiceDraft] = []

    /// A file of `KEY=VALUE` lines that a service takes variables from.
    public struct EnvironmentFileReference: Sendable, Hashable {
        /// As written in the Compose file, variables filled in.
        public let path: String
        /// Whether it is an error that it does not exist.
        public let required: Bool
    }

    /// The Containerfiles that are built from a context, sorted.
    public func containerfiles(of context: String) -> [String] {
        let names = drafts.compactMap { draft in
            if case .build(let build) = draft.settings.source, build.context == context { build.containerfile } else { nil }
        }
        return Set(names).sorted()
    }

    /// The services, in the file's order.
    /// - Parameters:
    ///   - contexts: path as in `contexts` → digest of its tar.
    ///   - environmentFiles: path as in `environmentFiles` → text. A file that is not required may be absent.
    ///   - existing: the environment's services so far. A service that stays keeps its address index; a new one gets the lowest free.
    /// - Throws: `ComposeError` when something is not handed in, or an environment file is wrong.
    public func services(
        contexts: [String: ContentDigest], environmentFiles: [String: String], keeping existing: [Service]
    ) throws(ComposeError) -> [Service] {
        var findings: [ComposeFinding] = []
        var indexes = AddressIndexes(names: Set(drafts.map(\.name)), existing: existing)
        var services: [Service] = []
        for draft in drafts {
            let settings = draft.settings
            do {
                services.append(
                    Service(
                        name: draft.name,
                        addressIndex: indexes.index(of: draft.name),
                        image: try image(of: draft, contexts: contexts),
                        command: settings.command,
                        entrypoint: settings.entrypoint,
                        variables: try allVariables(of: draft, environmentFiles: environmentFiles),
                        ports: settings.ports,
                        volumes: settings.volumes.map(\.mount),
                        dependencies: settings.dependencies.map(\.dependency),
                        healthcheck: settings.healthcheck,
                        restart: settings.restart
                    )
                )
            } catch {
                findings += error.findings
            }
        }
        if let error = ComposeError(findings) { throw error }
        return services
    }

    private func image(of draft: ServiceDraft, contexts: [String: ContentDigest]) throws(ComposeError) -> ServiceImage {
        switch draft.settings.source {
        case nil:
            throw ComposeError(ComposeFinding(file: file, draft.position, "The service “\(draft.name)” has neither “image” nor “build”."))
        case .reference(let reference):
            return .reference(reference)
        case .build(let build):
            guard let digest = contexts[build.context] else {
                let message = "The build context “\(build.context.printable())” of service “\(draft.name)” was not sent along."
                throw ComposeError(ComposeFinding(file: file, build.position, message, hint: "Check that the folder exists."))
            }
            return .build(
                ImageBuild(context: digest, containerfile: build.containerfile, arguments: build.arguments, target: build.target)
            )
        }
    }

    /// `environment` wins over `env_file`, a later file over an earlier one.
    private func allVariables(of draft: ServiceDraft, environmentFiles: [String: String]) throws(ComposeError) -> [EnvironmentVariable] {
        var list = VariableList()
        for use in draft.settings.environmentFiles {
            guard let text = environmentFiles[use.reference.path] else {
                guard use.reference.required else { continue }
                let message = "The environment file “\(use.reference.path.printable())” of service “\(draft.name)” does not exist."
                let hint = "Create it, or write it as {path: …, required: false}."
                throw ComposeError(ComposeFinding(file: file, use.position, message, hint: hint))
            }
            let known = variables.merging(list.values) { _, fromEarlierFile in fromEarlierFile }
            for variable in try EnvironmentFile.read(text: text, file: use.reference.path, variables: known) { list.set(variable) }
        }
        for variable in draft.settings.variables { list.set(variable) }
        return list.variables
    }
}

/// Hands out address indexes: who has one keeps it.
private struct AddressIndexes {
    private var known: [Name: Int]
    private var taken: Set<Int>
    private var next = 1

    init(names: Set<Name>, existing: [Service]) {
        known = [:]
        for service in existing where names.contains(service.name) { known[service.name] = service.addressIndex }
        taken = Set(known.values)
    }

    mutating func index(of name: Name) -> Int {
        if let index = known[name] { return index }
        while taken.contains(next) { next += 1 }
        taken.insert(next)
        return next
    }
}
