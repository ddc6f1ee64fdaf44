public import KilnModel

/// Packages of Debian, made into store paths.
public struct DebianConfiguration: Sendable, Hashable {
    public var name: Name
    /// In which versions are looked for, the preferred one first; empty: the suites of the host's own apt.
    public var suites: [DebianSuite]
    /// nil: the mirror of the host's own apt.
    public var mirror: FileAddress?
    public var components: [String]
    /// Path of the keyring whose keys may sign the suites.
    public var keyring: String

    public static let defaultKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

    public init(
        name: Name, suites: [DebianSuite] = [], mirror: FileAddress? = nil, components: [String] = ["main"],
        keyring: String = DebianConfiguration.defaultKeyring
    ) {
        self.name = name
        self.suites = suites
        self.mirror = mirror
        self.components = components
        self.keyring = keyring
    }
}

/// A suite or codename as apt's sources name it: `bookworm`, `bookworm-security`, `stable/updates`.
public struct DebianSuite: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        let allowed = text.utf8.allSatisfy { $0.isLetterOrDigit || ".-/".utf8.contains($0) }
        guard (1...64).contains(text.utf8.count), allowed, text.utf8.first!.isLetterOrDigit, text.utf8.last!.isLetterOrDigit,
            !text.contains(".."), !text.contains("//")
        else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 80))” is not a suite of Debian.", hint: "Write it like bookworm or trixie.")
        }
        value = text
    }
}

extension DebianConfiguration: Codable {
    private enum Key: String, CodingKey, CaseIterable { case name, type, suites, mirror, components, keyring }

    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(otherThan: Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        name = try container.decode(Name.self, forKey: .name)
        suites = try container.decodeIfPresent([DebianSuite].self, forKey: .suites) ?? []
        mirror = try container.decodeIfPresent(FileAddress.self, forKey: .mirror)
        components = try container.decodeIfPresent([String].self, forKey: .components) ?? ["main"]
        keyring = try container.decodeIfPresent(String.self, forKey: .keyring) ?? Self.defaultKeyring
        for component in components where component.isEmpty || !component.utf8.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }) {
            throw DecodingError.dataCorruptedError(
                forKey: .components, in: container, debugDescription: "“\(component.printable(limit: 40))” is no component of Debian.")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(suites, forKey: .suites)
        try container.encodeIfPresent(mirror, forKey: .mirror)
        try container.encode(components, forKey: .components)
        try container.encode(keyring, forKey: .keyring)
    }
}
