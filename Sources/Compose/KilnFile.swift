public import KilnModel

/// Reads `kiln.yaml`, which stands beside the code and says what a workspace needs for it: `packages:`, a list of `NAME[@VERSION]` or a
/// mapping of names to versions. Pure.
public enum KilnFile {
    /// The name of the file.
    public static let name = "kiln.yaml"

    /// - Parameters:
    ///   - text: of the file.
    ///   - path: what to call it in errors.
    /// - Returns: the packages, in the order of the file.
    /// - Throws: `KilnError` with `invalid-kiln-file` and everything that is wrong.
    public static func packages(in text: String, path: String = name) throws(KilnError) -> [PackageWish] {
        do {
            return try read(text, path)
        } catch {
            let found = error.kilnError
            throw KilnError(.invalidKilnFile, found.message, hint: found.hint)
        }
    }

    private static func read(_ text: String, _ path: String) throws(ComposeError) -> [PackageWish] {
        var document = YAMLDocument(text: text, source: SourceFile(name: path))
        document.hintWhenEmpty = "Name what is needed: packages: [jq, nodejs@20]"
        let root = try document.root()
        guard case .mapping(let entries) = root.content else {
            throw ComposeError(ComposeFinding(root.position, "The file is no mapping.", hint: "It begins with packages:"))
        }
        var findings: [ComposeFinding] = []
        for entry in entries where entry.key != "packages" && !entry.key.hasPrefix("x-") {
            findings.append(
                ComposeFinding(entry.position, "The key “\(entry.key.printable(limit: 80))” means nothing here.", hint: "Only packages: is known."))
        }
        var reading = PackageReading()
        if let packages = root["packages"]?.value { reading.read(packages) }
        if let error = ComposeError(findings + reading.findings) { throw error }
        return reading.wishes
    }
}

extension KilnError.Code {
    public static let invalidKilnFile = Self("invalid-kiln-file", .usage)
}

/// The packages of a file and what is wrong with them, while they are read.
private struct PackageReading {
    private(set) var wishes: [PackageWish] = []
    private(set) var findings: [ComposeFinding] = []

    mutating func read(_ node: YAMLNode) {
        switch node.content {
        case .sequence(let items):
            for item in items {
                if let text = text(item) { add(text, item.position) }
            }
        case .mapping(let entries):
            for entry in entries {
                if let version = text(entry.value) { add(version.isEmpty ? entry.key : "\(entry.key)@\(version)", entry.position) }
            }
        case _ where node.isNull: break
        default: refuse(node.position, "packages: is neither a list nor a mapping.")
        }
    }

    private mutating func text(_ node: YAMLNode) -> String? {
        if node.isNull { return "" }
        guard case .scalar(let text, _) = node.content else {
            refuse(node.position, "A package is written as one text.")
            return nil
        }
        return text
    }

    private mutating func add(_ text: String, _ position: Position) {
        do {
            let wish = try PackageWish(text)
            guard !wishes.contains(where: { $0.name == wish.name }) else { return refuse(position, "The package \(wish.name) is named twice.") }
            wishes.append(wish)
        } catch {
            findings.append(ComposeFinding(position, error.message, hint: error.hint))
        }
    }

    private mutating func refuse(_ position: Position, _ message: String) {
        findings.append(ComposeFinding(position, message, hint: "Write it like packages: [jq, nodejs@20]"))
    }
}
