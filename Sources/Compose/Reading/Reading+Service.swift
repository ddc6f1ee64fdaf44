import KilnModel

extension Reading {
    /// One service; nil when nothing can be said about it beyond the findings.
    func draft(_ entry: YAMLNode.Entry) -> ServiceDraft? {
        let place = "service “\(entry.key.printable(limit: 80))”"
        var name: Name?
        do throws(KilnError) {
            name = try Name(entry.key)
        } catch {
            let hint = Name.nearest(to: entry.key).flatMap { nearest in
                (try? HostName(entry.key)).map {
                    "Call it \(nearest); who knows it as \($0) still finds it with “networks: {default: {aliases: [\($0)]}}”."
                }
            }
            refuse(
                entry.position, "A service's name is one of the network's, a label as in RFC 1123: \(error.message)", hint: hint ?? error.hint)
        }
        var keys: [YAMLNode.Entry] = []
        if !entry.value.isNull {
            guard let entries = entries(entry.value, "The \(place)") else { return nil }
            keys = entries
        }
        let image = keys.first { $0.key == "image" }
        let build = keys.first { $0.key == "build" }
        if image == nil, build == nil {
            refuse(entry.position, "The \(place) has neither “image” nor “build”.", hint: "Give it one of them.")
        }
        if let image, build != nil {
            let message = "“image” of \(place) has no effect beside “build”: a built image is named after its content."
            warn(image.position, message, hint: "Remove it.")
        }
        // Read also where the name is wrong, so that all mistakes show at once.
        let settings = settings(keys, place)
        return name.map { ServiceDraft(name: $0, position: entry.position, settings: settings) }
    }

    private func settings(_ keys: [YAMLNode.Entry], _ place: String) -> ServiceDraft.Settings {
        var settings = ServiceDraft.Settings()
        var reference: ImageReference?
        var build: ServiceDraft.BuildDraft?
        var memory: [ServiceDraft.Mount] = []
        for key in keys {
            let value = key.value
            switch key.key {
            case "image": reference = image(value)
            case "build": build = self.build(value)
            case "command": settings.command = command(value, "“command”")
            case "entrypoint": settings.entrypoint = command(value, "“entrypoint”")
            case "environment": settings.variables = variables(value, "“environment”")
            case "env_file": settings.environmentFiles = environmentFiles(value, "“env_file”")
            case "label_file": settings.labelFiles = environmentFiles(value, "“label_file”")
            case "ports": (settings.ports, settings.namedPorts) = ports(value)
            case "expose": settings.exposed = exposed(value)
            case "volumes": settings.mounts += mounts(value)
            case "tmpfs": memory = memoryMounts(value)
            case "configs": settings.configs = grants(value, "“configs”", folder: "")
            case "secrets": settings.secrets = grants(value, "“secrets”", folder: "/run/secrets")
            case "depends_on": settings.dependencies = dependencies(value)
            case "links": settings.links = links(value)
            case "healthcheck": (settings.healthcheck, settings.healthcheckKeys) = healthcheck(value)
            case "restart": settings.restart = restartPolicy(value)
            case "profiles": settings.profiles = value.isNull ? [] : texts(value, "“profiles”") ?? []
            case "networks": (settings.networks, settings.aliases) = attachments(value, before: settings.aliases)
            case "container_name": settings.aliases += self.value(value, "“container_name”", HostName.init).map { [$0] } ?? []
            case "extends": break
            default:
                if !readContainerKey(key, into: &settings), !readLimit(key, into: &settings), !isHarmless(key) {
                    refuseUnknown(key, in: place, among: .service)
                }
            }
        }
        settings.source = build.map(ServiceDraft.Source.build) ?? reference.map(ServiceDraft.Source.reference)
        settings.mounts += memory
        refuseDoubledTargets(settings)
        return settings
    }

    private func image(_ node: YAMLNode) -> ImageReference? {
        guard let text = filledText(node, "“image”") else { return nil }
        do throws(KilnError) {
            return try ImageReference(text)
        } catch {
            refuse(node.position, error)
            return nil
        }
    }

    /// A program with its arguments: a list, or a text that is split into words. nil (`null`) is the image's own; empty is none at all.
    private func command(_ node: YAMLNode, _ what: String) -> [String]? {
        if node.isNull { return nil }
        if case .sequence = node.content { return texts(node, what) }
        if case .mapping = node.content {
            refuse(node.position, "\(what) must be a text or a list.")
            return nil
        }
        guard let text = text(node, what) else { return nil }
        do throws(ShellWords.Failure) {
            return try ShellWords.split(text)
        } catch {
            refuse(node.position, error.message, hint: error.hint)
            return nil
        }
    }

    private func restartPolicy(_ node: YAMLNode) -> Service.RestartPolicy {
        if node.isNull { return .no }
        guard let text = filledText(node, "“restart”") else { return .no }
        // Without quotes YAML 1.1 takes “no” for false; what was meant is plain.
        if text == "false" { return .no }
        do {
            return try Service.RestartPolicy(text)
        } catch {
            refuse(node.position, error.message, hint: error.hint)
            return .no
        }
    }

    /// A whole number of at most nine decimal digits, without sign.
    static func number(_ text: String) -> Int? {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }
}
