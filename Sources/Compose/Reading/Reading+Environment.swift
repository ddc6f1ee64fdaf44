import KilnModel

extension Reading {
    /// `environment`: a map, or a list of `KEY=VALUE`. A key without a value takes that of the variable of its name, if it is set.
    func variables(_ node: YAMLNode, _ what: String) -> VariableList {
        var list = VariableList()
        switch node.content {
        case .mapping(let entries):
            for entry in entries {
                // Without a value of its own the key may be unset outside too, and stays so.
                if let value = entry.value.isNull ? variable(entry.key, at: entry.position) : value(entry) {
                    set(entry.key, value, at: entry.position, in: &list)
                } else if entry.value.isNull {
                    leaveUnset(entry.key, at: entry.position, in: &list)
                }
            }
        case .sequence(let items):
            for item in items {
                guard let (key, node) = item.assignment else {
                    refuse(item.position, "An entry of \(what) must be a text.")
                    continue
                }
                if list.contains(key) {
                    warn(item.position, "“\(key.printable(limit: 80))” is given twice in \(what); the last one counts.", hint: "Remove one of them.")
                }
                if let node {
                    set(key, self.value(YAMLNode.Entry(key: key, position: item.position, value: node)), at: item.position, in: &list)
                } else if let value = variable(key, at: item.position) {
                    set(key, value, at: item.position, in: &list)
                } else {
                    leaveUnset(key, at: item.position, in: &list)
                }
            }
        case .scalar, .template:
            if !node.isNull { refuse(node.position, "\(what) must be a map, or a list of KEY=VALUE.") }
        }
        return list
    }

    /// As `variables`, where secrets have no place.
    func assignments(_ node: YAMLNode, _ what: String) -> [EnvironmentVariable] {
        let list = variables(node, what)
        if let secret = list.secretVariables.first {
            let names = secret.value.secrets.map(\.value).joined(separator: ", ")
            refuse(node.position, "\(what) names the secret \(names): secrets are filled into “environment” only.")
        }
        return list.variables
    }

    private func value(_ entry: YAMLNode.Entry) -> Interpolation.Value? {
        if case .template(let template) = entry.value.content { return .template(template) }
        return text(entry.value, "The value of “\(entry.key.printable(limit: 80))”").map { .text($0) }
    }

    private func leaveUnset(_ key: String, at position: Position, in list: inout VariableList) {
        do throws(KilnError) {
            list.leaveUnset(try EnvironmentVariable(key: key, value: "").key)
        } catch {
            refuse(position, error)
        }
    }

    private func set(_ key: String, _ value: Interpolation.Value?, at position: Position, in list: inout VariableList) {
        guard let value else { return }
        do throws(KilnError) {
            switch value {
            case .text(let text): list.set(.plain(try EnvironmentVariable(key: key, value: text)))
            case .secret(let name): list.set(.secret(try SecretVariable(key: key, value: SecretTemplate(pieces: [.secret(name)]))))
            case .template(let template): list.set(.secret(try SecretVariable(key: key, value: template)))
            }
        } catch {
            refuse(position, error)
        }
    }

    /// `env_file` and `label_file`: a path, or a list of paths and of maps with `path` and `required`.
    func environmentFiles(_ node: YAMLNode, _ what: String) -> [ServiceDraft.EnvironmentFileUse] {
        switch node.content {
        case .scalar, .template:
            return node.isNull ? [] : environmentFile(node, what).map { [$0] } ?? []
        case .sequence(let items):
            return items.compactMap { environmentFile($0, what) }
        case .mapping:
            refuse(node.position, "\(what) must be a path or a list.", hint: "Put a - before the map.")
            return []
        }
    }

    private func environmentFile(_ node: YAMLNode, _ what: String) -> ServiceDraft.EnvironmentFileUse? {
        guard case .mapping(let entries) = node.content else {
            return path(node, "A path in \(what)").map { .init(path: $0, required: true, position: node.position) }
        }
        var found: String?
        var required = true
        for entry in entries {
            switch entry.key {
            case "path": found = path(entry.value, "“path”")
            case "required": required = flag(entry.value, "“required”") ?? true
            default: refuseUnknown(entry, in: what, among: .environmentFile)
            }
        }
        if !entries.contains(where: { $0.key == "path" }) { refuse(node.position, "The entry of \(what) lacks its “path”.") }
        return found.map { .init(path: $0, required: required, position: node.position) }
    }

    /// The variables that a service's files and its own `environment` make together: the latter win, a later file wins over an earlier.
    func allVariables(of settings: ServiceDraft.Settings) -> VariableList {
        var list = VariableList()
        for use in settings.environmentFiles {
            for variable in read(use, after: list) { list.set(variable) }
        }
        list.set(settings.variables)
        return list
    }

    /// The lines of a service's file of variables or labels.
    func read(_ use: ServiceDraft.EnvironmentFileUse, after list: VariableList = VariableList()) -> [EnvironmentVariable] {
        guard let text = neededText(use.path, required: use.required, at: nil) else {
            if use.required, input.absent.contains(use.path) {
                let message = "The environment file “\(use.path.printable(limit: 80))” does not exist."
                refuse(use.position, message, hint: "Create it, or write it as {path: …, required: false}.")
            }
            return []
        }
        let known = scopes[use.position.source.scope].merging(list.values) { _, fromEarlierFile in fromEarlierFile }
        do throws(ComposeError) {
            note(EnvironmentFile.referencedVariables(text: text))
            return try EnvironmentFile.read(text: text, file: shown(use.path), variables: known)
        } catch {
            refuse(error)
            return []
        }
    }
}
