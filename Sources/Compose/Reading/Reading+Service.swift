import KilnModel

extension Reading {
    /// One service; nil when nothing can be said about it beyond the findings.
    func draft(_ entry: YAMLNode.Entry) -> ServiceDraft? {
        let place = "service “\(entry.key.printable(limit: 80))”"
        var name: Name?
        do throws(KilnError) {
            name = try Name(entry.key)
        } catch {
            refuse(entry.position, "A service is reached by its name: \(error.message)", hint: error.hint)
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
        for key in keys {
            let value = key.value
            switch key.key {
            case "image": reference = image(value)
            case "build": build = self.build(value)
            case "command": settings.command = command(value, "“command”")
            case "entrypoint": settings.entrypoint = command(value, "“entrypoint”")
            case "environment": settings.variables = assignments(value, "“environment”")
            case "env_file": settings.environmentFiles = environmentFiles(value)
            case "ports": settings.ports = merged(ports(value), into: settings.ports)
            case "expose": settings.ports = merged(exposed(value), into: settings.ports)
            case "volumes": settings.volumes = volumeMounts(value)
            case "depends_on": settings.dependencies = dependencies(value)
            case "healthcheck": settings.healthcheck = healthcheck(value)
            case "restart": settings.restart = restartPolicy(value)
            default: refuseUnknown(key, in: place, among: .service)
            }
        }
        settings.source = build.map(ServiceDraft.Source.build) ?? reference.map(ServiceDraft.Source.reference)
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
        guard case .scalar = node.content else {
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
        guard let text = filledText(node, "“restart”") else { return .no }
        switch text {
        case "no": return .no
        case "always": return .always
        case "unless-stopped": return .unlessStopped
        case "on-failure": return .onFailure(maximumRetries: nil)
        default:
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            if parts.count == 2, parts[0] == "on-failure", let count = Self.number(String(parts[1])), count > 0 {
                return .onFailure(maximumRetries: count)
            }
            let hint = "Use \"no\", always, unless-stopped, on-failure or on-failure:N."
            refuse(node.position, "“\(text.printable(limit: 80))” is not a restart policy.", hint: hint)
            return .no
        }
    }

    private func merged(_ more: [ServicePort], into ports: [ServicePort]) -> [ServicePort] {
        ports + more.filter { !ports.contains($0) }
    }

    /// A whole number of at most nine decimal digits, without sign.
    static func number(_ text: String) -> Int? {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }
}
