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
                let condition = condition(of: entry)
                uses.append(ServiceDraft.DependencyUse(dependency: .init(service: name, condition: condition), position: entry.position))
            }
        case .scalar:
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

    private func condition(of dependency: YAMLNode.Entry) -> Service.Dependency.Condition {
        var condition = Service.Dependency.Condition.started
        guard !dependency.value.isNull, let entries = entries(dependency.value, "A dependency") else { return condition }
        for entry in entries {
            switch entry.key {
            case "condition":
                guard let text = filledText(entry.value, "“condition”") else { continue }
                if let known = Service.Dependency.Condition(rawValue: text) {
                    condition = known
                } else {
                    let hint = "Use service_started, service_healthy or service_completed_successfully."
                    refuse(entry.value.position, "“\(text.printable(limit: 80))” is not a condition.", hint: hint)
                }
            case "required":
                if flag(entry.value, "“required”") == false {
                    let message = "“required: false” is not supported: every service of the file is part of the environment."
                    refuse(entry.position, message, hint: "Remove it, or the dependency.")
                }
            case "restart":
                if flag(entry.value, "“restart”") == true {
                    let message = "“restart: true” is not supported: a service is not restarted because of another."
                    refuse(entry.position, message, hint: "Remove it.")
                }
            default: refuseUnknown(entry, in: "a dependency", among: .dependency)
            }
        }
        return condition
    }
}
