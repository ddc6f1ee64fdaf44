import KilnModel

/// `include`: other projects' services, volumes, configs and secrets become this project's own (Compose specification, “Include”).
extension Reading {
    private static let maximumDepth = 16
    private static let sections = ["services", "volumes", "networks", "configs", "secrets"]

    func included(_ root: YAMLNode) -> YAMLNode { included(root, depth: 0) }

    private func included(_ root: YAMLNode, depth: Int) -> YAMLNode {
        guard let include = root["include"], case .mapping(let own) = root.content else { return root }
        var root = root
        root.content = .mapping(own.filter { $0.key != "include" })
        guard depth < Self.maximumDepth else {
            refuse(include.position, "Projects include each other more than \(Self.maximumDepth) deep.", hint: "Remove the circle.")
            return root
        }
        guard !include.value.isNull else { return root }
        for item in items(include.value, "“include”") ?? [] {
            guard let project = project(item).flatMap(merged) else { continue }
            root = adopted(included(project, depth: depth + 1), by: root, at: item.position)
        }
        return root
    }

    /// The files of an included project.
    private func project(_ item: YAMLNode) -> [(source: SourceFile, text: String)]? {
        var paths: [(path: String, position: Position)] = []
        var folder: String?
        var variablesFiles: [String]?
        func take(_ node: YAMLNode) {
            for node in itemsOrOne(node, "“path”") {
                if let path = path(node, "The path of an included file") { paths.append((path, node.position)) }
            }
        }
        if case .mapping(let entries) = item.content {
            for entry in entries {
                switch entry.key {
                case "path": take(entry.value)
                case "project_directory": folder = path(entry.value, "“project_directory”").map(ProjectPath.normal)
                case "env_file": variablesFiles = itemsOrOne(entry.value, "“env_file”").compactMap { path($0, "“env_file”") }
                default: refuseUnknown(entry, in: "“include”", among: .include)
                }
            }
            if paths.isEmpty, !entries.contains(where: { $0.key == "path" }) { refuse(item.position, "The entry of “include” lacks its “path”.") }
        } else {
            take(item)
        }
        guard let first = paths.first else { return nil }
        let home = folder.map { $0 == "." ? "" : $0 } ?? ProjectPath.folder(of: first.path)
        let scope = addScope(scopes[item.position.source.scope])
        if let variablesFiles {
            for file in variablesFiles where neededText(file, required: true, at: item.position) != nil { readVariables(file, scope: scope) }
        } else {
            let file = ProjectPath.resolve(ComposeInput.variablesFile, in: home)
            // The project's own was read already.
            if !home.isEmpty, neededText(file, required: false, at: nil) != nil { readVariables(file, scope: scope) }
        }
        return paths.compactMap { path, position in
            neededText(path, required: true, at: position).map { (SourceFile(name: shown(path), folder: home, scope: scope), $0) }
        }
    }

    private func adopted(_ project: YAMLNode, by root: YAMLNode, at position: Position) -> YAMLNode {
        guard case .mapping(var entries) = root.content else { return root }
        for section in Self.sections {
            guard let theirs = project[section], case .mapping(let incoming) = theirs.value.content else { continue }
            guard let place = entries.firstIndex(where: { $0.key == section }), case .mapping(var own) = entries[place].value.content else {
                entries.removeAll { $0.key == section }
                entries.append(theirs)
                continue
            }
            var known = Dictionary(own.enumerated().map { ($0.element.key, $0.offset) }) { first, _ in first }
            for entry in incoming {
                guard let index = known[entry.key] else {
                    known[entry.key] = own.count
                    own.append(entry)
                    continue
                }
                guard !own[index].value.says(theSameAs: entry.value) else { continue }
                let other = own[index].position
                let message =
                    "“\(entry.key.printable(limit: 80))” under “\(section)” is also in \(other.source.name.printable(limit: 80)), line \(other.line), and says something else there."
                refuse(entry.position, message, hint: "Rename one of them.")
            }
            entries[place].value.content = .mapping(own)
        }
        var root = root
        root.content = .mapping(entries)
        return root
    }
}

extension YAMLNode {
    /// Whether both hold the same, wherever it stands.
    func says(theSameAs other: YAMLNode) -> Bool {
        switch (content, other.content) {
        case (.scalar(let one, _), .scalar(let two, _)): one == two
        case (.template(let one), .template(let two)): one == two
        case (.sequence(let one), .sequence(let two)): one.count == two.count && zip(one, two).allSatisfy { $0.says(theSameAs: $1) }
        case (.mapping(let one), .mapping(let two)):
            one.count == two.count
                && one.sorted { $0.key < $1.key }.elementsEqual(two.sorted { $0.key < $1.key }) {
                    $0.key == $1.key && $0.value.says(theSameAs: $1.value)
                }
        default: false
        }
    }
}
