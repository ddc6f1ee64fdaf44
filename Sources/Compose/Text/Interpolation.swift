import KilnModel

/// Fills variables into a value: `$NAME`, `${NAME}`, and the forms with a default, an alternative or an error; `$$` is a dollar sign.
///
/// Follows the Compose specification, “Interpolation”: with a colon (`:-`, `:?`, `:+`) an empty variable counts as unset; what comes after the
/// operator may itself hold variables.
struct Interpolation {
    struct Failure: Error {
        var message: String
        var hint: String?
    }

    /// What a variable stands for.
    enum Value {
        case text(String)
        /// A secret, whose value nobody knows here.
        case secret(SecretName)
        case template(SecretTemplate)

        var isEmpty: Bool {
            switch self {
            case .text(let text): text.isEmpty
            case .secret, .template: false
            }
        }
    }

    /// What a template became.
    struct Output {
        fileprivate var done: [SecretTemplate.Piece] = []
        fileprivate var bytes: [UInt8] = []

        fileprivate var count: Int { bytes.count }
        fileprivate mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

        fileprivate mutating func append(_ value: Value) {
            switch value {
            case .text(let text): append(text.utf8)
            case .secret(let name):
                if !bytes.isEmpty { done.append(.text(String(decoding: bytes, as: UTF8.self))) }
                bytes = []
                done.append(.secret(name))
            case .template(let template): for piece in template.pieces { append(piece) }
            }
        }

        private mutating func append(_ piece: SecretTemplate.Piece) {
            switch piece {
            case .text(let text): append(text.utf8)
            case .secret(let name): append(Value.secret(name))
            }
        }

        fileprivate mutating func append(_ other: Output) {
            for piece in other.done { append(piece) }
            append(other.bytes)
        }

        /// The text without the values of secrets.
        var text: String {
            String(
                decoding: done.flatMap { piece -> [UInt8] in if case .text(let text) = piece { Array(text.utf8) } else { [] } } + bytes, as: UTF8.self
            )
        }

        /// nil when it names no secret.
        var template: SecretTemplate? {
            guard !done.isEmpty else { return nil }
            return SecretTemplate(pieces: bytes.isEmpty ? done : done + [.text(String(decoding: bytes, as: UTF8.self))])
        }
    }

    /// Defaults within defaults.
    private static let maximumDepth = 32

    /// Every variable named, also in parts that were not used.
    private(set) var referenced: Set<String> = []
    /// Variables that became empty because they are not set, in the order of the text.
    private(set) var missing: [String] = []

    private var seenMissing: Set<String> = []
    private let lookup: (String) -> Value?
    /// Bytes the result may have.
    private let limit: Int

    init(limit: Int, lookup: @escaping (String) -> Value?) {
        self.limit = limit
        self.lookup = lookup
    }

    /// `text` with its variables filled in.
    mutating func expand(_ text: String) throws(Failure) -> Output {
        try expand(Array(text.utf8)[...], depth: 0, isUsed: true)
    }

    private mutating func expand(_ template: ArraySlice<UInt8>, depth: Int, isUsed: Bool) throws(Failure) -> Output {
        guard depth < Self.maximumDepth else { throw Failure(message: "Defaults are nested more than \(Self.maximumDepth) deep.") }
        var rest = template
        var output = Output()
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "$") else {
                output.append(CollectionOfOne(byte))
                continue
            }
            switch rest.first {
            case UInt8(ascii: "$"):
                rest.removeFirst()
                output.append(CollectionOfOne(UInt8(ascii: "$")))
            case UInt8(ascii: "{"):
                rest.removeFirst()
                guard let close = Self.closingBrace(in: rest) else {
                    throw Failure(message: "“${” is not closed.", hint: "Close it with }, or write $$ for a dollar sign.")
                }
                output.append(try expandBraced(rest[..<close], depth: depth, isUsed: isUsed))
                rest = rest[(close + 1)...]
            default:
                let name = Self.name(at: rest)
                guard !name.isEmpty else { throw Failure(message: "“$” is not followed by a variable.", hint: "Write $$ for a dollar sign.") }
                rest = rest.dropFirst(name.utf8.count)
                output.append(value(of: name, isUsed: isUsed))
            }
            guard output.count <= limit else { throw Failure(message: "With its variables filled in this is too long.") }
        }
        return output
    }

    /// What stands between `${` and `}`.
    private mutating func expandBraced(_ body: ArraySlice<UInt8>, depth: Int, isUsed: Bool) throws(Failure) -> Output {
        let name = Self.name(at: body)
        guard !name.isEmpty else {
            throw Failure(message: "“${” is not followed by a variable.", hint: "Write ${NAME}, or $$ for a dollar sign.")
        }
        var rest = body.dropFirst(name.utf8.count)
        guard !rest.isEmpty else { return Self.output(value(of: name, isUsed: isUsed)) }
        let emptyIsUnset = rest.first == UInt8(ascii: ":")
        if emptyIsUnset { rest.removeFirst() }
        referenced.insert(name)
        let current = lookup(name)
        let isSet = emptyIsUnset ? current?.isEmpty == false : current != nil
        switch rest.popFirst() {
        case UInt8(ascii: "-"):
            let fallback = try expand(rest, depth: depth + 1, isUsed: isUsed && !isSet)
            return isSet ? Self.output(current) : fallback
        case UInt8(ascii: "+"):
            let alternative = try expand(rest, depth: depth + 1, isUsed: isUsed && isSet)
            return isSet ? alternative : Output()
        case UInt8(ascii: "?"):
            let reason = try expand(rest, depth: depth + 1, isUsed: isUsed && !isSet).text
            guard isSet || !isUsed else {
                let message = "The variable \(name) is \(current == nil ? "not set" : "empty")\(reason.isEmpty ? "" : ": \(reason.printable())")."
                throw Failure(message: message, hint: "Set it, as in \(name)=… kl …")
            }
            return Self.output(current)
        default:
            let hint = "After the name use :-, -, :?, ?, :+ or +."
            throw Failure(
                message: "“${\(String(decoding: body, as: UTF8.self).printable(limit: 80))}” is not a known form of a variable.", hint: hint)
        }
    }

    private mutating func value(of name: String, isUsed: Bool) -> Value {
        referenced.insert(name)
        if let value = lookup(name) { return value }
        if isUsed, seenMissing.insert(name).inserted { missing.append(name) }
        return .text("")
    }

    private static func output(_ value: Value?) -> Output {
        var output = Output()
        if let value { output.append(value) }
        return output
    }

    private static func name(at bytes: ArraySlice<UInt8>) -> String {
        guard let first = bytes.first, !(48...57).contains(first) else { return "" }
        return String(decoding: bytes.prefix { isNameByte($0) }, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 95: true
        default: false
        }
    }

    /// The `}` that belongs to a `${` just before `bytes`; braces within count.
    private static func closingBrace(in bytes: ArraySlice<UInt8>) -> Int? {
        var open = 1
        for (index, byte) in zip(bytes.indices, bytes) {
            if byte == UInt8(ascii: "{") { open += 1 }
            if byte == UInt8(ascii: "}") { open -= 1 }
            if open == 0 { return index }
        }
        return nil
    }
}
