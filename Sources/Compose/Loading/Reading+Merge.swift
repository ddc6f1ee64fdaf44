import KilnModel

/// Lays a file over another, or a service over the one that it extends.
extension Reading {
    /// - Parameter path: where both stand: keys from the top of the file.
    func merged(_ base: YAMLNode, with over: YAMLNode, at path: [String]) -> YAMLNode {
        if over.directive != nil || base.directive == .reset { return over }
        let rule = MergeRule.at(path)
        if case .replace? = rule { return over }
        // `key:` with nothing behind it says nothing.
        if over.isNull { return base }
        if base.isNull { return over }
        switch rule {
        case .variables: return mergedVariables(base, over)
        case .list: return mergedItems(listed(base), listed(over), at: path)
        case .names(let defaults): return mergedByKind(named(base, defaults), named(over, defaults), at: path)
        case .map(let key): return mergedByKind(mapped(base, key), mapped(over, key), at: path)
        case .logging:
            let (one, two) = (base["driver"]?.value.plainText, over["driver"]?.value.plainText)
            return two == nil || one == nil || one == two ? mergedByKind(base, over, at: path) : over
        case .replace, nil: return mergedByKind(base, over, at: path)
        }
    }

    private func mergedByKind(_ base: YAMLNode, _ over: YAMLNode, at path: [String]) -> YAMLNode {
        switch (base.content, over.content) {
        case (.mapping(let one), .mapping(let two)): return mergedEntries(one, two, at: path, over.position)
        case (.sequence, .sequence): return mergedItems(base, over, at: path)
        case (.scalar, .scalar), (.template, .scalar), (.scalar, .template), (.template, .template): return over
        default:
            let place = "\(base.position.source.name.printable(limit: 80)), line \(base.position.line)"
            let key = path.last.map { "“\($0.printable(limit: 80))”" } ?? "The file"
            refuse(over.position, "\(key) is \(over.kind) here and \(base.kind) in \(place): they cannot be merged.", hint: "Write both alike.")
            return base
        }
    }

    private func mergedEntries(_ one: [YAMLNode.Entry], _ two: [YAMLNode.Entry], at path: [String], _ position: Position) -> YAMLNode {
        var entries = one
        var places = Dictionary(one.enumerated().map { ($0.element.key, $0.offset) }) { first, _ in first }
        for entry in two {
            if let place = places[entry.key] {
                // What is said of a key stands where it was said last.
                entries[place].position = entry.position
                entries[place].value = merged(entries[place].value, with: entry.value, at: path + [entry.key])
            } else {
                places[entry.key] = entries.count
                entries.append(entry)
            }
        }
        return .mapping(entries, at: position)
    }

    private func mergedItems(_ base: YAMLNode, _ over: YAMLNode, at path: [String]) -> YAMLNode {
        guard case .sequence(let one) = base.content, case .sequence(let two) = over.content else { return mergedByKind(base, over, at: path) }
        var items: [YAMLNode] = []
        var places: [String: Int] = [:]
        for item in one + two {
            if let key = MergeRule.key(of: item, at: path) {
                if let place = places[key] {
                    items[place] = item
                    continue
                }
                places[key] = items.count
            }
            items.append(item)
        }
        return .sequence(items, at: over.position)
    }

    private func mergedVariables(_ base: YAMLNode, _ over: YAMLNode) -> YAMLNode {
        guard let one = assigned(base), let two = assigned(over) else { return over }
        var entries: [YAMLNode.Entry] = []
        var places: [String: Int] = [:]
        for entry in one + two {
            if let place = places[entry.key] {
                entries[place] = entry
            } else {
                places[entry.key] = entries.count
                entries.append(entry)
            }
        }
        return .mapping(entries, at: over.position)
    }

    /// `KEY=VALUE` lines as a map; nil for what is neither.
    private func assigned(_ node: YAMLNode) -> [YAMLNode.Entry]? {
        switch node.content {
        case .mapping(let entries): return entries
        case .sequence(let items):
            return items.compactMap { item in
                if item.directive == .reset { return nil }
                guard let (key, value) = item.assignment else {
                    // An entry that is no text: whoever reads the list says so.
                    return YAMLNode.Entry(key: "", position: item.position, value: item)
                }
                let absent = YAMLNode(content: .scalar("", isPlain: true), position: item.position, weight: 1)
                return YAMLNode.Entry(key: key, position: item.position, value: value ?? absent)
            }
        case .scalar, .template:
            refuse(node.position, "This must be a map, or a list of KEY=VALUE.")
            return nil
        }
    }

    private func listed(_ node: YAMLNode) -> YAMLNode {
        if case .sequence = node.content { node } else { .sequence([node], at: node.position) }
    }

    private func named(_ node: YAMLNode, _ defaults: [(key: String, value: String)]) -> YAMLNode {
        guard case .sequence(let items) = node.content else { return node }
        let entries = items.compactMap { item in
            item.plainText.map { name in
                let values = defaults.map { YAMLNode.Entry(key: $0.key, position: item.position, value: .text($0.value, at: item.position)) }
                let absent = YAMLNode(content: .scalar("", isPlain: true), position: item.position, weight: 1)
                return YAMLNode.Entry(key: name, position: item.position, value: values.isEmpty ? absent : .mapping(values, at: item.position))
            }
        }
        return .mapping(entries, at: node.position)
    }

    private func mapped(_ node: YAMLNode, _ key: String) -> YAMLNode {
        guard case .scalar = node.content else { return node }
        return .mapping([YAMLNode.Entry(key: key, position: node.position, value: node)], at: node.position)
    }
}

extension YAMLNode {
    /// What it is, for people.
    fileprivate var kind: String {
        switch content {
        case .scalar, .template: "a text"
        case .sequence: "a list"
        case .mapping: "a map"
        }
    }

    /// A text as key and value, cut at its first `=`; the value is nil when there is none, the whole when it is no text.
    var assignment: (key: String, value: YAMLNode?)? {
        switch content {
        case .scalar(let text, _):
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return (parts[0], parts.count == 2 ? .text(parts[1], at: position) : nil)
        case .template(let template):
            guard case .text(let first)? = template.pieces.first, let cut = first.firstIndex(of: "=") else { return nil }
            let rest = String(first[first.index(after: cut)...])
            let pieces = (rest.isEmpty ? [] : [SecretTemplate.Piece.text(rest)]) + template.pieces.dropFirst()
            return (String(first[..<cut]), YAMLNode(content: .template(SecretTemplate(pieces: pieces)), position: position, weight: 1))
        case .sequence, .mapping: return nil
        }
    }
}
