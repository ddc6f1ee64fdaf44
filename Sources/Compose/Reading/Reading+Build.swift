import KilnModel

extension Reading {
    func build(_ node: YAMLNode) -> ServiceDraft.BuildDraft? {
        switch node.content {
        case .scalar, .template:
            return node.isNull ? nil : context(node).map { ServiceDraft.BuildDraft(context: $0, position: node.position) }
        case .sequence:
            refuse(node.position, "“build” must be the path of a context, or a map.")
            return nil
        case .mapping(let entries):
            // Compose's default for a map that names no context.
            var draft = ServiceDraft.BuildDraft(context: projectPath(".", from: node.position.source), position: node.position)
            for entry in entries {
                switch entry.key {
                case "context":
                    guard !entry.value.isNull else { continue }
                    guard let context = context(entry.value) else { return nil }
                    draft.context = context
                    draft.position = entry.value.position
                case "dockerfile" where entry.value.isNull: continue
                case "dockerfile":
                    if let path = containerfile(entry.value) { draft.containerfile = path }
                case "args": draft.arguments = assignments(entry.value, "“args”")
                case "target": draft.target = entry.value.isNull ? nil : filledText(entry.value, "“target”")
                default: refuseUnknown(entry, in: "“build”", among: .build)
                }
            }
            return draft
        }
    }

    private func context(_ node: YAMLNode) -> String? {
        guard let path = filledText(node, "The build context") else { return nil }
        guard !path.contains("://"), !path.hasPrefix("git@"), !path.hasPrefix("github.com/") else {
            let message = "The build context “\(path.printable(limit: 80))” is not a folder."
            refuse(node.position, message, hint: "Clone it, and name the folder.")
            return nil
        }
        return projectPath(path, from: node.position.source)
    }

    /// A build gets its context and nothing else, so its Dockerfile must lie within.
    private func containerfile(_ node: YAMLNode) -> String? {
        guard let path = filledText(node, "“dockerfile”") else { return nil }
        guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
            refuse(node.position, "The Dockerfile “\(path.printable(limit: 80))” is outside the build context.", hint: "Move it into the context.")
            return nil
        }
        return path
    }
}
