import KilnModel

extension Reading {
    /// `environment` or `args`: a map, or a list of `KEY=VALUE`. A key without a value takes that of the variable of its name, if it is set.
    func assignments(_ node: YAMLNode, _ what: String) -> [EnvironmentVariable] {
        var list = VariableList()
        switch node.content {
        case .mapping(let entries):
            for entry in entries {
                // Without a value of its own the key may be unset outside too, and stays so.
                let value = entry.value.isNull ? variable(entry.key) : text(entry.value, "The value of “\(entry.key.printable(limit: 80))”")
                add(key: entry.key, value: value, at: entry.position, to: &list)
            }
        case .sequence(let items):
            for item in items {
                guard let text = filledText(item, "An entry of \(what)") else { continue }
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                if list[parts[0]] != nil {
                    refuse(item.position, "“\(parts[0].printable(limit: 80))” is given twice in \(what).", hint: "Remove one of them.")
                }
                add(key: parts[0], value: parts.count == 2 ? parts[1] : variable(parts[0]), at: item.position, to: &list)
            }
        case .scalar:
            if !node.isNull { refuse(node.position, "\(what) must be a map, or a list of KEY=VALUE.") }
        }
        return list.variables
    }

    private func add(key: String, value: String?, at position: Position, to list: inout VariableList) {
        do throws(KilnError) {
            // The key is checked even where there is no value to set.
            let variable = try EnvironmentVariable(key: key, value: value ?? "")
            if value != nil { list.set(variable) }
        } catch {
            refuse(position, error)
        }
    }

    /// `env_file`: a path, or a list of paths and of maps with `path` and `required`.
    func environmentFiles(_ node: YAMLNode) -> [ServiceDraft.EnvironmentFileUse] {
        switch node.content {
        case .scalar:
            return node.isNull ? [] : environmentFile(node).map { [$0] } ?? []
        case .sequence(let items):
            return items.compactMap(environmentFile)
        case .mapping:
            refuse(node.position, "“env_file” must be a path or a list.", hint: "Put a - before the map.")
            return []
        }
    }

    private func environmentFile(_ node: YAMLNode) -> ServiceDraft.EnvironmentFileUse? {
        guard case .mapping(let entries) = node.content else {
            return filledText(node, "A path in “env_file”").map { use($0, required: true, at: node.position) }
        }
        var path: String?
        var required = true
        for entry in entries {
            switch entry.key {
            case "path": path = filledText(entry.value, "“path”")
            case "required": required = flag(entry.value, "“required”") ?? true
            default: refuseUnknown(entry, in: "“env_file”", among: .environmentFile)
            }
        }
        if !entries.contains(where: { $0.key == "path" }) { refuse(node.position, "An entry of “env_file” lacks its “path”.") }
        return path.map { use($0, required: required, at: node.position) }
    }

    private func use(_ path: String, required: Bool, at position: Position) -> ServiceDraft.EnvironmentFileUse {
        ServiceDraft.EnvironmentFileUse(reference: .init(path: path, required: required), position: position)
    }
}
