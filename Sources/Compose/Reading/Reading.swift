import KilnModel

/// One pass over a project: its variables, and what was found so far. Findings are collected, so that a person sees all of them at once.
///
/// The readers of single keys are its extensions, one file each. They return nil, or leave out what is wrong, after saying why.
final class Reading {
    /// Bytes that all values may have together once variables are filled in.
    static let maximumExpansion = 4 << 20

    /// After so many the file is no Compose file at all; guessing what was meant stops earlier, as it is slow.
    private static let maximumFindings = 1000
    private static let maximumGuesses = 100

    let input: ComposeInput
    /// What is put before a path of the project's folder to show it.
    let prefix: String
    /// The variables of the project and of those that it includes; `SourceFile.scope` says whose a value is.
    private(set) var scopes: [[String: String]] = []
    private(set) var findings: [ComposeFinding] = []
    private(set) var warnings: [ComposeFinding] = []
    private(set) var referenced: Set<String> = []
    private(set) var needs: [ComposeProject.NeededText] = []
    private var expanded = 0
    /// Values made by `extends`, over all.
    private var copied = 0
    /// Trees of files that several services extend.
    var trees: [SourceFile: YAMLNode?] = [:]
    /// Services of profiles that nobody asked for.
    var inactive: Set<Name> = []

    init(_ input: ComposeInput) {
        self.input = input
        let first = input.files.first?.path ?? ""
        prefix = first.lastIndex(of: "/").map { String(first[...$0]) } ?? ""
        scopes = [input.variables]
    }

    func refuse(_ position: Position, _ message: String, hint: String? = nil) {
        guard findings.count < Self.maximumFindings else { return }
        findings.append(ComposeFinding(position, message, hint: hint))
    }

    func refuse(_ position: Position, _ error: KilnError) { refuse(position, error.message, hint: error.hint) }

    func refuse(_ error: ComposeError) {
        for finding in error.findings where findings.count < Self.maximumFindings { findings.append(finding) }
    }

    func warn(_ position: Position, _ message: String, hint: String? = nil) {
        let warning = ComposeFinding(position, message, hint: hint)
        guard warnings.count < Self.maximumFindings, !warnings.contains(warning) else { return }
        warnings.append(warning)
    }

    /// A new set of variables, for an included project.
    func addScope(_ variables: [String: String]) -> Int {
        scopes.append(variables)
        return scopes.count - 1
    }

    func setScope(_ scope: Int, _ variables: [String: String]) { scopes[scope] = variables }

    /// The text of a file that was written at `path` in a file of `folder`; nil when it is not there (yet).
    func neededText(_ path: String, required: Bool, at position: Position?) -> String? {
        if let text = input.texts[path] { return text }
        if !input.absent.contains(path), !needs.contains(where: { $0.path == path }) {
            needs.append(ComposeProject.NeededText(path: path, required: required))
        }
        if required, input.absent.contains(path), let position {
            refuse(
                position, "The file “\(path.printable(limit: 80))” does not exist.",
                hint: "Create it; paths are relative to the file that names them.")
        }
        return nil
    }

    /// How a path of the project's folder is shown in findings.
    func shown(_ path: String) -> String { path.hasPrefix("/") ? path : prefix + path }

    /// Counts what `extends` copies.
    func count(_ weight: Int, at position: Position) -> Bool {
        copied += weight
        guard copied <= 2 * YAMLConverter.maximumWeight else {
            refuse(position, "With everything that is extended the project holds more than \(2 * YAMLConverter.maximumWeight) values.")
            return false
        }
        return true
    }

    /// Takes note of variables that some text refers to.
    func note(_ names: Set<String>) { referenced.formUnion(names) }

    /// The value of a variable named without a dollar sign, as in `environment: [KEY]`.
    func variable(_ name: String, at position: Position) -> Interpolation.Value? {
        referenced.insert(name)
        return lookup(name, scope: position.source.scope)
    }

    private func lookup(_ name: String, scope: Int) -> Interpolation.Value? {
        if let text = scopes[scope][name] { return .text(text) }
        if let secret = try? SecretName(name), input.secrets.contains(secret) { return .secret(secret) }
        return nil
    }

    /// A scalar's content with its variables filled in.
    func expand(_ template: String, isPlain: Bool, at position: Position) -> YAMLNode.Content {
        guard template.utf8.contains(UInt8(ascii: "$")) else {
            expanded += template.utf8.count
            return .scalar(template, isPlain: isPlain)
        }
        var interpolation = Interpolation(limit: Self.maximumExpansion - expanded) { self.lookup($0, scope: position.source.scope) }
        defer {
            referenced.formUnion(interpolation.referenced)
            for name in interpolation.missing {
                warn(position, "The variable \(name) is not set; it counts as empty.", hint: "Set it, or write ${\(name):-default}.")
            }
        }
        do throws(Interpolation.Failure) {
            let output = try interpolation.expand(template)
            expanded += output.text.utf8.count
            // A text that became empty is a text still, not the absence of one.
            return output.template.map { .template($0) } ?? .scalar(output.text, isPlain: false)
        } catch {
            refuse(position, error.message, hint: error.hint)
            return .scalar("x", isPlain: false)
        }
    }

    /// A scalar's text; `what` names it in findings.
    func text(_ node: YAMLNode, _ what: String) -> String? {
        if case .template(let template) = node.content {
            let names = template.secrets.map(\.value).joined(separator: ", ")
            let hint = "Take its value from a variable there, or mount it with “secrets”."
            refuse(node.position, "\(what) names the secret \(names): secrets are filled into “environment” only.", hint: hint)
            return nil
        }
        guard case .scalar(let text, _) = node.content, !node.isNull else {
            refuse(node.position, "\(what) must be a text.")
            return nil
        }
        guard !text.utf8.contains(0) else {
            refuse(node.position, "\(what) holds a NUL byte.")
            return nil
        }
        return text
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

    /// A text that becomes a value; a null is none.
    func value<Value>(_ node: YAMLNode, _ what: String, _ make: (String) throws(KilnError) -> Value) -> Value? {
        guard !node.isNull, let text = filledText(node, what) else { return nil }
        do throws(KilnError) {
            return try make(text)
        } catch {
            refuse(node.position, error)
            return nil
        }
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

    /// The items of a list, where one text stands for a list of one.
    func itemsOrOne(_ node: YAMLNode, _ what: String) -> [YAMLNode] {
        switch node.content {
        case .scalar where node.isNull: []
        case .scalar, .template: [node]
        case .sequence, .mapping: items(node, what) ?? []
        }
    }

    /// The path that a scalar means, as it is seen from the project's folder.
    func path(_ node: YAMLNode, _ what: String) -> String? {
        filledText(node, what).map { projectPath($0, from: node.position.source) }
    }

    func projectPath(_ path: String, from source: SourceFile) -> String {
        if let directory = input.directory, path == directory || path.hasPrefix(directory + "/") {
            return ProjectPath.normal("./" + path.dropFirst(directory.count))
        }
        return ProjectPath.resolve(path, in: source.folder)
    }

    /// Deals with a key that nothing reads: it is refused, or only said to be without effect. Extension keys (`x-…`) pass.
    func refuseUnknown(_ entry: YAMLNode.Entry, in place: String, among keys: KnownKeys) {
        guard !entry.key.hasPrefix("x-") else { return }
        let key = "“\(entry.key.printable(limit: 80))”"
        if let reason = keys.idle[entry.key] {
            if !entry.value.isNull { warn(entry.position, "\(key) in \(place) has no effect: \(reason)") }
        } else if let reason = keys.unsupported[entry.key] {
            refuse(entry.position, "\(key) in \(place) is not supported: \(reason.why)", hint: reason.hint)
        } else if let nearest = nearest(to: entry.key, among: keys.all) {
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
