/// A value of a YAML file with its place; aliases and merge keys are resolved, keys are unique.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        /// `isPlain`: written without quotes, so that `null`, `true` and numbers may mean themselves.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
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

    /// `key:` with nothing behind it, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }
}
