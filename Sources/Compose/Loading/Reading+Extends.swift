import KilnModel

/// `extends`: a service is laid over another, of its own file or of another file (Compose specification, “Extend”).
extension Reading {
    private static let maximumChain = 32

    /// A file with each of its services laid over what it extends.
    func extended(_ root: YAMLNode) -> YAMLNode {
        guard case .mapping(var entries) = root.content, let place = entries.firstIndex(where: { $0.key == "services" }),
            case .mapping(var services) = entries[place].value.content
        else { return root }
        for (index, service) in services.enumerated() where service.value["extends"] != nil {
            services[index].value = extended(service.value, in: root, chain: ["\(root.position.source.name)\n\(service.key)"])
        }
        entries[place].value.content = .mapping(services)
        var root = root
        root.content = .mapping(entries)
        return root
    }

    /// - Parameter chain: files and names of the services on the way here.
    private func extended(_ service: YAMLNode, in root: YAMLNode, chain: [String]) -> YAMLNode {
        guard let extends = service["extends"], case .mapping(let own) = service.content else { return service }
        var service = service
        service.content = .mapping(own.filter { $0.key != "extends" })
        guard let (name, file) = target(of: extends) else { return service }
        var tree = root
        if let file {
            guard let found = self.tree(at: file, extends.position) else { return service }
            tree = found
        }
        let link = "\(tree.position.source.name)\n\(name.text)"
        guard !chain.contains(link), chain.count < Self.maximumChain else {
            refuse(name.position, "The service “\(name.text.printable(limit: 80))” extends itself, by way of others.", hint: "Remove one “extends”.")
            return service
        }
        guard let base = tree["services"]?.value[name.text] else {
            let place = file == nil ? "this file" : "“\(tree.position.source.name.printable(limit: 80))”"
            let names: [String] = if case .mapping(let all)? = tree["services"]?.value.content { all.map(\.key) } else { [] }
            let hint = nearest(to: name.text, among: names).map { "Did you mean “\($0)”?" }
            refuse(name.position, "There is no service “\(name.text.printable(limit: 80))” in \(place) to extend.", hint: hint)
            return service
        }
        let whole = extended(base.value, in: tree, chain: chain + [link])
        guard case .mapping = whole.content, count(whole.weight, at: extends.position) else { return service }
        return merged(whole, with: service, at: ["services", base.key])
    }

    private func target(of extends: YAMLNode.Entry) -> (name: (text: String, position: Position), file: String?)? {
        guard case .mapping(let entries) = extends.value.content else {
            return filledText(extends.value, "“extends”").map { (($0, extends.value.position), nil) }
        }
        var name: (String, Position)?
        var file: String?
        for entry in entries {
            switch entry.key {
            case "service": name = filledText(entry.value, "“service”").map { ($0, entry.value.position) }
            case "file": file = path(entry.value, "“file”")
            default: refuseUnknown(entry, in: "“extends”", among: .extends)
            }
        }
        guard let name else {
            if !entries.contains(where: { $0.key == "service" }) { refuse(extends.position, "“extends” lacks its “service”.") }
            return nil
        }
        return (name, file)
    }

    private func tree(at path: String, _ position: Position) -> YAMLNode? {
        let source = SourceFile(name: shown(path), folder: ProjectPath.folder(of: path), scope: position.source.scope)
        if let known = trees[source] { return known }
        guard let text = neededText(path, required: true, at: position) else { return nil }
        let tree = tree(of: text, source)
        trees[source] = .some(tree)
        return tree
    }
}
