internal import Compose
internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import KilnStore

extension Backend {
    /// Says what Compose files need before they can become an environment, and everything else about them.
    func addCompose(to table: inout RouteTable) {
        table.add(
            .post, Routes.compose,
            .init(
                "inspectCompose", "What Compose files need from their author's machine.", .owner, body: .json(InspectCompose.self),
                answers: .ok(ComposeInspection.self), isReading: true)
        ) { call in
            let input = try await input(call)
            do {
                return try .json(ComposeInspection(try ComposeFile.read(input)))
            } catch let error as ComposeError {
                throw error.kilnError
            }
        }
        table.add(
            .post, Routes.composeReport,
            .init(
                "reportOnCompose", "Everything there is to say about Compose files, right or wrong.", .owner, body: .json(InspectCompose.self),
                answers: .ok(ComposeReport.self), isReading: true)
        ) { call in
            try .json(ComposeReport(try await input(call)))
        }
    }

    private func input(_ call: Call) async throws -> ComposeInput {
        try authorise(call, .create, .resource(.environment, owner: try call.owner(), id: nil))
        let body = try await call.body(InspectCompose.self)
        var secrets = Set(body.secrets)
        if let text = body.environment {
            let reference = try QualifiedName(text)
            let document = try await resolve(.environment, reference.name.value, owner: reference.owner ?? call.owner(), call, .read)
            let environment = try await store.resource(Environment_.self, document.id)
            secrets.formUnion(environment?.spec.secrets.map(\.name) ?? [])
        }
        return ComposeInput(body.sources, secrets: secrets)
    }

    /// Reads Compose files; everything that they name must have arrived.
    /// - Parameters:
    ///   - secrets: those the environment has already.
    ///   - set: those whose values were set by command, over what the files bring.
    ///   - existing: its services so far.
    /// - Returns: the services, and the secrets that the environment is to have from now on, besides those it has.
    func read(
        _ bundle: ComposeBundle, secrets: Set<SecretName>, set: Set<SecretName>, keeping existing: [KilnModel.Service]
    ) throws -> (services: [KilnModel.Service], secrets: [SecretName: SecretBytes]) {
        do {
            var given = Dictionary(bundle.secrets.map { ($0.name, $0.value) }) { $1 }
            let project = try ComposeFile.read(ComposeInput(bundle.sources, secrets: secrets.union(given.keys)))
            if let missing = project.needs.first {
                throw KilnError(
                    .invalidCompose, "The file “\(missing.path.printable(limit: 80))” was not sent along.",
                    hint: "Send its text, or say that it is absent.")
            }
            for (path, digest) in Self.tars(of: project, bundle) where !controller.contexts.contains(digest) {
                throw KilnError(
                    .invalidBuildContext, "“\(path.printable(limit: 80))” was not uploaded.", hint: "Put its tar to \(Routes.context(digest)) first."
                )
            }
            for file in project.secretFiles where given[file.name] == nil && !set.contains(file.name) {
                throw KilnError(.invalidCompose, "The secret \(file.name) in “\(file.path.printable(limit: 80))” was not sent along.")
            }
            for (name, value) in project.secretValues where !set.contains(name) { given[name] = try SecretBytes(Array(value.utf8)) }
            let services = try project.services(contexts: bundle.contexts, copies: bundle.copies, keeping: existing)
            return (services, given)
        } catch let error as ComposeError {
            throw error.kilnError
        }
    }

    /// What a project needs of what was uploaded.
    private static func tars(of project: ComposeProject, _ bundle: ComposeBundle) -> [(path: String, digest: ContentDigest)] {
        project.contexts.compactMap { path in bundle.contexts[path].map { (path, $0) } }
            + project.copies.compactMap { copy in bundle.copies[copy.path].map { (copy.path, $0.digest) } }
    }
}

extension ComposeInput {
    init(_ sources: ComposeSources, secrets: Set<SecretName>) {
        self.init(
            files: sources.files.map { File(path: $0.path, text: $0.text) }, texts: sources.texts, absent: Set(sources.absent),
            variables: sources.variables, profiles: Set(sources.profiles), secrets: secrets, directory: sources.directory)
    }
}

extension ComposeInspection {
    init(_ project: ComposeProject) {
        self.init()
        needs = project.needs.map { NeededText(path: $0.path, required: $0.required) }
        variables = project.referencedVariables.sorted()
        guard needs.isEmpty else { return }
        contexts = project.contexts.map { Context(path: $0, containerfiles: project.containerfiles(of: $0)) }
        copies = project.copies.map { Copy(path: $0.path, mayBeMissing: $0.mayBeMissing) }
        secretFiles = project.secretFiles.map { SecretFile(name: $0.name, path: $0.path) }
        warnings = project.warnings.map(\.description)
    }
}

extension ComposeReport {
    init(_ input: ComposeInput) {
        self.init()
        let (project, errors, warnings) = ComposeFile.examine(input)
        needs = project?.needs.map { .init(path: $0.path, required: $0.required) } ?? []
        variables = project?.referencedVariables.sorted() ?? []
        findings = errors.map { Finding($0, .error) } + warnings.map { Finding($0, .warning) }
        guard let project, needs.isEmpty else { return }
        let converted = project.converted()
        yaml = converted.yaml
        json = converted.json
    }
}

extension ComposeReport.Finding {
    fileprivate init(_ finding: ComposeFinding, _ severity: Severity) {
        self.init(
            severity: severity, file: finding.file, line: finding.line, column: finding.column, message: finding.message, hint: finding.hint)
    }
}
