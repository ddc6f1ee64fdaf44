import KilnModel
import Yams

/// Turns Yams' nodes into `YAMLNode`s: resolves aliases and merge keys, refuses what Compose files have no use for.
struct YAMLConverter {
    /// Values in a document, aliased ones counted at each use. A large real file has a few thousand.
    static let maximumWeight = 100_000
    static let maximumDepth = 64

    private static let textTags: Set<String> = ["!", "tag:yaml.org,2002:str"]
    /// The empty one stands for no tag at all.
    private static let knownTags = textTags.union(
        ["", "null", "bool", "int", "float", "seq", "map"].map { $0.isEmpty ? $0 : "tag:yaml.org,2002:\($0)" })

    let source: SourceFile
    private var anchors: [String: YAMLNode] = [:]
    private var total = 0

    init(source: SourceFile) { self.source = source }

    mutating func convert(_ node: Node) throws(ComposeError) -> YAMLNode { try convert(node, depth: 0) }

    private mutating func convert(_ node: Node, depth: Int) throws(ComposeError) -> YAMLNode {
        let position = place(of: node)
        guard depth < Self.maximumDepth else {
            throw refusal(at: position, "More than \(Self.maximumDepth) levels are nested here.")
        }
        let directive = try directive(of: node, at: position)
        var converted: YAMLNode
        switch node {
        case .scalar(let scalar):
            if scalar.style == .plain, scalar.string.unicodeScalars.first == AliasShield.mark {
                guard scalar.anchor == nil else { throw refusal(at: position, "An alias cannot have an anchor.") }
                return try aliased(scalar.string, at: position)
            }
            let isPlain = scalar.style == .plain && !Self.textTags.contains(scalar.tag.rawValue)
            converted = try counted(.scalar(AliasShield.uncover(scalar.string), isPlain: isPlain), at: position, weight: 1)
        case .sequence(let sequence):
            var items: [YAMLNode] = []
            for item in sequence { items.append(try convert(item, depth: depth + 1)) }
            converted = try counted(.sequence(items), at: position, weight: items.reduce(1) { $0 + $1.weight })
        case .mapping(let mapping):
            let entries = try entries(of: mapping, depth: depth)
            converted = try counted(.mapping(entries), at: position, weight: entries.reduce(1) { $0 + $1.value.weight })
        case .alias:
            throw refusal(at: position, "This alias cannot be resolved.")
        }
        converted.directive = directive
        if let anchor = node.anchor { anchors[anchor.rawValue] = converted }
        return converted
    }

    private mutating func aliased(_ text: String, at position: Position) throws(ComposeError) -> YAMLNode {
        let name = text.unicodeScalars.dropFirst()
        guard name.allSatisfy(AliasShield.isNameCharacter) else {
            let hint = "Put a value that begins with * in quotes."
            throw refusal(at: position, "“\(AliasShield.uncover(text).printable(limit: 80))” is not the name of an anchor.", hint: hint)
        }
        guard let node = anchors[String(name)] else {
            let message = "“\(AliasShield.uncover(text).printable(limit: 80))” names no anchor above."
            throw refusal(at: position, message, hint: "Mark the value it means with &\(String(name).printable(limit: 80)), further up.")
        }
        try count(node.weight, at: position)
        return node
    }

    private mutating func entries(of mapping: Node.Mapping, depth: Int) throws(ComposeError) -> [YAMLNode.Entry] {
        var own: [YAMLNode.Entry] = []
        var places: [String: Position] = [:]
        var merged: [YAMLNode.Entry] = []
        for (key, value) in mapping {
            let converted = try convert(key, depth: depth + 1)
            guard case .scalar(let text, _) = converted.content else {
                throw refusal(at: converted.position, "A key must be a text.")
            }
            let position = place(of: key)
            let node = try convert(value, depth: depth + 1)
            if case .scalar(let scalar) = key, scalar.style == .plain, scalar.string == "<<" {
                merged += try mergedEntries(of: node)
                continue
            }
            if let first = places[text] {
                let message = "The key “\(text.printable(limit: 80))” is given twice; the first is on line \(first.line)."
                throw refusal(at: position, message, hint: "Remove one of them.")
            }
            places[text] = position
            own.append(YAMLNode.Entry(key: text, position: position, value: node))
        }
        // A mapping's own keys win over merged ones, an earlier merged mapping over a later one.
        for entry in merged where places[entry.key] == nil {
            places[entry.key] = entry.position
            own.append(entry)
        }
        return own
    }

    private func mergedEntries(of node: YAMLNode) throws(ComposeError) -> [YAMLNode.Entry] {
        switch node.content {
        case .mapping(let entries): return entries
        case .sequence(let items):
            var merged: [YAMLNode.Entry] = []
            for item in items {
                guard case .mapping(let entries) = item.content else {
                    throw refusal(at: item.position, "“<<” merges mappings only.")
                }
                merged += entries
            }
            return merged
        case .scalar, .template:
            throw refusal(at: node.position, "“<<” merges mappings only.", hint: "Name one with an alias, as in <<: *defaults.")
        }
    }

    /// Explicit types change nothing in a Compose file; of other tags, Compose's own are known.
    private func directive(of node: Node, at position: Position) throws(ComposeError) -> YAMLNode.Directive? {
        let tag =
            switch node {
            case .scalar(let scalar): scalar.tag.rawValue
            case .sequence(let sequence): sequence.tag.rawValue
            case .mapping(let mapping): mapping.tag.rawValue
            case .alias(let alias): alias.tag.rawValue
            }
        if tag == "!reset" { return .reset }
        if tag == "!override" { return .override }
        guard Self.knownTags.contains(tag) else {
            throw refusal(at: position, "The tag “\(AliasShield.uncover(tag).printable(limit: 80))” is not supported.", hint: "Remove it.")
        }
        return nil
    }

    private mutating func counted(_ content: YAMLNode.Content, at position: Position, weight: Int) throws(ComposeError) -> YAMLNode {
        try count(1, at: position)
        return YAMLNode(content: content, position: position, weight: weight)
    }

    private mutating func count(_ weight: Int, at position: Position) throws(ComposeError) {
        total += weight
        guard total <= Self.maximumWeight else {
            let message = "With its aliases resolved the file holds more than \(Self.maximumWeight) values."
            throw refusal(at: position, message, hint: "Use fewer aliases of aliases.")
        }
    }

    private func place(of node: Node) -> Position {
        node.mark.map { Position(source: source, line: max(1, $0.line), column: max(1, $0.column)) } ?? .start(of: source)
    }

    private func refusal(at position: Position, _ message: String, hint: String? = nil) -> ComposeError {
        ComposeError(ComposeFinding(position, message, hint: hint))
    }
}
