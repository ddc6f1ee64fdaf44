/// A port that the Compose file gives a name (`name: http` of a long `ports`), by which SRV records find it.
public struct NamedPort: Sendable, Codable, Hashable {
    public var name: PortName
    public var port: ServicePort

    public init(name: PortName, port: ServicePort) {
        self.name = name
        self.port = port
    }
}

/// The name of what a port speaks, as RFC 6335 has it: 1 to 15 letters, digits and `-`, a letter among them.
public struct PortName: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        let isRight =
            (1...15).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "-") }
            && text.first != "-" && text.last != "-" && !text.contains("--") && text.contains(where: \.isLetter)
        guard isRight else {
            throw KilnError(.invalidName, "“\(text.printable(limit: 40))” is no name for a port.", hint: "Use up to 15 letters, digits and -.")
        }
        value = text
    }
}
