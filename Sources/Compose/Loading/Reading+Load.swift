import KilnModel

extension Reading {
    /// All files as one tree, with variables filled in, services extended, files merged; nil when nothing can be said beyond the findings.
    func load() -> YAMLNode? {
        guard let first = input.files.first else { return nil }
        guard input.files.count <= ComposeInput.maximumFiles, input.texts.count <= ComposeInput.maximumFiles else {
            refuse(.start(of: SourceFile(name: first.path)), "The project has more than \(ComposeInput.maximumFiles) files.")
            return nil
        }
        readVariables(ComposeInput.variablesFile, scope: 0)
        let files = input.files.map { (SourceFile(name: $0.path), $0.text) }
        return merged(files).map(included)
    }

    /// Files of one project, the later over the earlier.
    func merged(_ files: [(source: SourceFile, text: String)]) -> YAMLNode? {
        var root: YAMLNode?
        for file in files {
            guard let tree = tree(of: file.text, file.source) else { continue }
            let extended = extended(tree)
            root = root.map { merged($0, with: extended, at: []) } ?? extended
        }
        return root.map(withoutDirectives)
    }

    /// One file, with its variables filled in.
    func tree(of text: String, _ source: SourceFile) -> YAMLNode? {
        do throws(ComposeError) {
            let root = try YAMLDocument(text: text, source: source).root()
            guard case .mapping = root.content else {
                refuse(root.position, "The file is not a Compose file: it must be a map with “services”.")
                return nil
            }
            return filled(root)
        } catch {
            refuse(error)
            return nil
        }
    }

    /// Adds the variables of an environment file to those of a scope, under them.
    func readVariables(_ path: String, scope: Int) {
        guard let text = input.texts[path] else { return }
        do throws(ComposeError) {
            let variables = scopes[scope]
            let read = try EnvironmentFile.read(text: text, file: shown(path), variables: variables)
            setScope(scope, Dictionary(read.map { ($0.key, $0.value) }) { $1 }.merging(variables) { $1 })
        } catch {
            refuse(error)
        }
    }

    private func filled(_ node: YAMLNode) -> YAMLNode {
        var node = node
        switch node.content {
        case .scalar(let text, let isPlain): node.content = expand(text, isPlain: isPlain, at: node.position)
        case .template: break
        case .sequence(let items): node.content = .sequence(items.map(filled))
        case .mapping(let entries):
            // What only anchors use is filled in where it is used.
            node.content = .mapping(
                entries.map { $0.key.hasPrefix("x-") ? $0 : YAMLNode.Entry(key: $0.key, position: $0.position, value: filled($0.value)) })
        }
        return node
    }

    /// What `!reset` leaves when there was nothing to reset.
    private func withoutDirectives(_ node: YAMLNode) -> YAMLNode {
        var node = node
        node.directive = nil
        switch node.content {
        case .scalar, .template: break
        case .sequence(let items): node.content = .sequence(items.filter { $0.directive != .reset }.map(withoutDirectives))
        case .mapping(let entries):
            node.content = .mapping(
                entries.filter { $0.value.directive != .reset }
                    .map { YAMLNode.Entry(key: $0.key, position: $0.position, value: withoutDirectives($0.value)) })
        }
        return node
    }
}
