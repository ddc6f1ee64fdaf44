public import KilnModel

extension ComposeProject {
    /// The services, in the file's order.
    /// - Parameters:
    ///   - contexts: path as in `contexts` → digest of its tar.
    ///   - copies: path as in `copies` → what was made of it.
    ///   - existing: the environment's services so far. A service that stays keeps its address index; a new one gets the lowest free.
    /// - Throws: `ComposeError` when something is not handed in.
    public func services(
        contexts: [String: ContentDigest], copies: [String: FileCopy] = [:], keeping existing: [Service]
    ) throws(ComposeError) -> [Service] {
        var findings: [ComposeFinding] = []
        var indexes = AddressIndexes(names: Set(drafts.map(\.name)), existing: existing)
        var services: [Service] = []
        for draft in drafts {
            let settings = draft.settings
            do {
                let image = try image(of: draft, contexts: contexts)
                let files = try files(of: draft, copies: copies)
                var container = settings.container
                container.memoryFolders = settings.mounts.compactMap { mount in
                    if case .memory(let size, let mode) = mount.source { MemoryFolder(path: mount.path, size: size, mode: mode) } else { nil }
                }
                var service = Service(
                    name: draft.name, addressIndex: indexes.index(of: draft.name), aliases: settings.aliases, replicas: settings.replicas ?? 1,
                    image: image, command: settings.command, entrypoint: settings.entrypoint, variables: settings.variables.variables,
                    secretVariables: settings.variables.secretVariables,
                    ports: settings.ports + settings.exposed.filter { !settings.ports.contains($0) }, volumes: try volumes(of: draft),
                    files: files, dependencies: settings.dependencies.map(\.dependency), healthcheck: settings.healthcheck,
                    restart: settings.restart, settings: container
                )
                service.namedPorts = settings.namedPorts.isEmpty ? nil : settings.namedPorts
                services.append(service)
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
            throw ComposeError(ComposeFinding(draft.position, "The service “\(draft.name)” has neither “image” nor “build”."))
        case .reference(let reference):
            return .reference(reference)
        case .build(let build):
            guard let digest = contexts[build.context] else {
                let message = "The build context “\(build.context.printable())” of service “\(draft.name)” was not sent along."
                throw ComposeError(ComposeFinding(build.position, message, hint: "Check that the folder exists."))
            }
            return .build(
                ImageBuild(context: digest, containerfile: build.containerfile, arguments: build.arguments, target: build.target)
            )
        }
    }

    private func volumes(of draft: ServiceDraft) throws(ComposeError) -> [Service.VolumeMount] {
        var mounts: [Service.VolumeMount] = []
        for mount in draft.settings.mounts {
            let isEmpty = mount.isEmpty ? true : nil
            switch mount.source {
            case .volume(let volume): mounts.append(.init(volume: volume, path: mount.path.value, readOnly: mount.readOnly, isEmpty: isEmpty))
            case .anonymous:
                do throws(KilnError) {
                    let volume = try AnonymousVolume.name(of: draft.name, at: mount.path)
                    mounts.append(.init(volume: volume, path: mount.path.value, readOnly: false, isEmpty: isEmpty))
                } catch {
                    throw ComposeError(ComposeFinding(mount.position, error.message, hint: error.hint))
                }
            case .copy, .memory: break
            }
        }
        return mounts
    }

    private func files(of draft: ServiceDraft, copies: [String: FileCopy]) throws(ComposeError) -> [FileMount] {
        var files: [FileMount] = []
        func copy(_ path: String, _ position: Position) throws(ComposeError) -> FileMount.Source {
            guard let copy = copies[path] else {
                let message = "“\(path.printable())” of service “\(draft.name)” was not sent along."
                throw ComposeError(ComposeFinding(position, message, hint: "Check that it exists."))
            }
            return .copy(copy)
        }
        for mount in draft.settings.mounts {
            guard case .copy(let path, _) = mount.source else { continue }
            files.append(FileMount(source: try copy(path, mount.position), path: mount.path, readOnly: mount.readOnly))
        }
        for grant in draft.settings.configs {
            guard let config = configs.first(where: { $0.name == grant.name }) else { continue }
            let source: FileMount.Source =
                switch config.source {
                case .file(let path): Self.source(try copy(path, grant.position), grant)
                case .text(let text): .text(text)
                }
            files.append(
                FileMount(
                    source: source, path: grant.path, readOnly: true, mode: grant.mode, user: grant.user, group: grant.group, name: grant.name))
        }
        for grant in draft.settings.secrets {
            guard let secret = secrets.first(where: { $0.name.value == grant.name }) else { continue }
            files.append(
                FileMount(
                    source: .secret(secret.name), path: grant.path, readOnly: true, mode: grant.mode, user: grant.user, group: grant.group,
                    name: grant.name))
        }
        return files
    }
}

extension ComposeProject {
    /// A folder is copied anew for every owner and mode that is asked for: it may be large, and a service may write to it.
    private static func source(_ source: FileMount.Source, _ grant: ServiceDraft.Grant) -> FileMount.Source {
        guard case .copy(var copy) = source, copy.kind == .folder, grant.mode != nil || grant.user != nil || grant.group != nil else { return source }
        copy.access = FileCopy.Access(mode: grant.mode, user: grant.user, group: grant.group)
        return .copy(copy)
    }
}

/// The name of a volume that has none in the file: the same for the same service and place, so that its content outlives the container.
enum AnonymousVolume {
    static func name(of service: Name, at path: ContainerPath) throws(KilnError) -> VolumeName {
        try VolumeName("anonymous-\(digest("\(service)\u{0}/\(path.components.joined(separator: "/"))"))")
    }

    /// FNV-1a with 64 bits, in hex: stable from build to build, which Swift's own hash is not.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
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
