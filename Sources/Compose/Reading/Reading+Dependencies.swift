import KilnModel

extension Reading {
    /// `depends_on`: a list of names, or a map of names to conditions.
    func dependencies(_ node: YAMLNode) -> [ServiceDraft.DependencyUse] {
        var uses: [ServiceDraft.DependencyUse] = []
        switch node.content {
        case .sequence(let items):
            var seen: Set<Name> = []
            for item in items {
                guard let text = filledText(item, "An entry of “depends_on”"), let name = serviceName(text, at: item.position) else { continue }
                guard seen.insert(name).inserted else {
                    refuse(item.position, "“\(name)” is named twice in “depends_on”.", hint: "Remove one of them.")
                    continue
                }
                uses.append(ServiceDraft.DependencyUse(dependency: .init(service: name, condition: .started), position: item.position))
            }
        case .mapping(let entries):
            for entry in entries {
                guard let name = serviceName(entry.key, at: entry.position) else { continue }
                uses.append(ServiceDraft.DependencyUse(dependency: dependency(on: name, entry), position: entry.position))
            }
        case .scalar, .template:
            if !node.isNull { refuse(node.position, "“depends_on” must be a list or a map.") }
        }
        return uses
    }

    private func serviceName(_ text: String, at position: Position) -> Name? {
        do throws(KilnError) {
            return try Name(text)
        } catch {
            refuse(position, error)
            return nil
        }
    }

    private func dependency(on name: Name, _ node: YAMLNode.Entry) -> Service.Dependency {
        var dependency = Service.Dependency(service: name, condition: .started)
        guard !node.value.isNull, let entries = entries(node.value, "A dependency") else { return dependency }
        for entry in entries where !entry.value.isNull {
            switch entry.key {
            case "condition":
                guard let text = filledText(entry.value, "“condition”") else { continue }
                if let known = Service.Dependency.Condition(rawValue: text) {
                    dependency.condition = known
                } else {
                    let hint = "Use service_started, service_healthy or service_completed_successfully."
                    refuse(entry.value.position, "“\(text.printable(limit: 80))” is not a condition.", hint: hint)
                }
            case "required": dependency.required = flag(entry.value, "“required”") ?? true
            case "restart": dependency.restart = flag(entry.value, "“restart”") ?? false
            default: refuseUnknown(entry, in: "a dependency", among: .dependency)
            }
        }
        return dependency
    }
}
