import KilnModel

/// A value of a YAML file with its place; aliases and merge keys are resolved, keys are unique.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        /// `isPlain`: written without quotes, so that `null`, `true` and numbers may mean themselves.
        case scalar(String, isPlain: Bool)
        /// A text that names secrets; only variables take it.
        case template(SecretTemplate)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    /// What a tag says of a file that comes over another (Compose specification, “Merge”).
    enum Directive: Sendable {
        /// `!reset`: neither this nor what the files before say.
        case reset
        /// `!override`: this alone, whatever the files before say.
        case override
    }

    /// One key of a mapping.
    struct Entry: Sendable {
        var key: String
        var position: Position
        var value: YAMLNode
    }

    var content: Content
    var position: Position
    /// How many values a walk over this one meets, itself included.
    var weight: Int
    var directive: Directive?

    /// `key:` with nothing behind it, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    subscript(key: String) -> Entry? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }
    }

    /// A text that somebody wrote in another form.
    static func text(_ text: String, at position: Position) -> YAMLNode {
        YAMLNode(content: .scalar(text, isPlain: false), position: position, weight: 1)
    }

    static func mapping(_ entries: [Entry], at position: Position) -> YAMLNode {
        YAMLNode(content: .mapping(entries), position: position, weight: entries.reduce(1) { $0 + $1.value.weight })
    }

    static func sequence(_ items: [YAMLNode], at position: Position) -> YAMLNode {
        YAMLNode(content: .sequence(items), position: position, weight: items.reduce(1) { $0 + $1.weight })
    }
}
