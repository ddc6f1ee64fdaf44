import KilnModel

/// One pass over a file: its variables, and what was found so far. Findings are collected, so that a person sees all of them at once.
///
/// The readers of single keys are its extensions, one file each. They return nil, or leave out what is wrong, after saying why.
final class Reading {
    /// Bytes that all values may have together once variables are filled in.
    static let maximumExpansion = 4 << 20

    /// After so many the file is no Compose file at all; guessing what was meant stops earlier, as it is slow.
    private static let maximumFindings = 1000
    private static let maximumGuesses = 100

    let file: String
    let variables: [String: String]
    private(set) var findings: [ComposeFinding] = []
    private(set) var warnings: [ComposeFinding] = []
    private(set) var referenced: Set<String> = []
    private var expanded = 0

    init(file: String, variables: [String: String]) {
        self.file = file
        self.variables = variables
    }

    func refuse(_ position: Position, _ message: String, hint: String? = nil) {
        guard findings.count < Self.maximumFindings else { return }
        findings.append(ComposeFinding(file: file, position, message, hint: hint))
    }

    func refuse(_ position: Position, _ error: KilnError) { refuse(position, error.message, hint: error.hint) }

    func warn(_ position: Position, _ message: String, hint: String? = nil) {
        let warning = ComposeFinding(file: file, position, message, hint: hint)
        if !warnings.contains(warning) { warnings.append(warning) }
    }

    /// The value of a variable named without a dollar sign, as in `environment: [KEY]`.
    func variable(_ name: String) -> String? {
        referenced.insert(name)
        return variables[name]
    }

    /// A scalar with its variables filled in; `what` names it in findings.
    func text(_ node: YAMLNode, _ what: String) -> String? {
        guard case .scalar(let template, _) = node.content, !node.isNull else {
            refuse(node.position, "\(what) must be a text.")
            return nil
        }
        var interpolation = Interpolation(limit: Self.maximumExpansion - expanded) { [variables] in variables[$0] }
        defer {
            referenced.formUnion(interpolation.referenced)
            for name in interpolation.missing {
                warn(node.position, "The variable \(name) is not set; it counts as empty.", hint: "Set it, or write ${\(name):-default}.")
            }
        }
        do throws(Interpolation.Failure) {
            let text = try interpolation.expand(template)
            expanded += text.utf8.count
            guard !text.utf8.contains(0) else {
                refuse(node.position, "\(what) holds a NUL byte.")
                return nil
            }
            return text
        } catch {
            refuse(node.position, "\(what): \(error.message)", hint: error.hint)
            return nil
        }
    }

    /// As `text`, but an empty one is refused.
    func filledText(_ node: YAMLNode, _ what: String) -> String? {
        guard let text = text(node, what) else { return nil }
        guard !text.isEmpty else {
            refuse(node.position, "\(what) is empty.")
            return nil
        }
        return text
    }

    func flag(_ node: YAMLNode, _ what: String) -> Bool? {
        guard let text = text(node, what) else { return nil }
        switch text.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default:
            refuse(node.position, "\(what) must be true or false, not “\(text.printable(limit: 40))”.")
            return nil
        }
    }

    /// A mapping's entries, in the order of the file.
    func entries(_ node: YAMLNode, _ what: String) -> [YAMLNode.Entry]? {
        guard case .mapping(let entries) = node.content else {
            refuse(node.position, "\(what) must be a map of keys and values.")
            return nil
        }
        return entries
    }

    func items(_ node: YAMLNode, _ what: String) -> [YAMLNode]? {
        guard case .sequence(let items) = node.content else {
            refuse(node.position, "\(what) must be a list.")
            return nil
        }
        return items
    }

    /// The texts of a list; wrong ones are left out.
    func texts(_ node: YAMLNode, _ what: String) -> [String]? {
        items(node, what)?.compactMap { text($0, "An entry of \(what)") }
    }

    /// Refuses a key that nothing reads, with the reason or the name that was meant. Extension keys (`x-…`) pass.
    func refuseUnknown(_ entry: YAMLNode.Entry, in place: String, among keys: KnownKeys) {
        guard !entry.key.hasPrefix("x-") else { return }
        let key = "“\(entry.key.printable(limit: 80))”"
        if let reason = keys.unsupported[entry.key] {
            refuse(entry.position, "\(key) in \(place) is not supported: \(reason.why)", hint: reason.hint)
        } else if let nearest = nearest(to: entry.key, among: keys.supported + keys.unsupported.keys.sorted()) {
            refuse(entry.position, "\(key) in \(place) is not a key that Compose knows.", hint: "Did you mean “\(nearest)”?")
        } else {
            refuse(
                entry.position, "\(key) in \(place) is not a key that Compose knows.", hint: "Known here: \(keys.supported.joined(separator: ", ")).")
        }
    }

    func nearest(to text: String, among candidates: @autoclosure () -> [String]) -> String? {
        findings.count < Self.maximumGuesses ? NearestName.of(text, among: candidates()) : nil
    }
}
