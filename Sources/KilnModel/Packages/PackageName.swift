/// The name of a package as its source spells it: `[A-Za-z0-9][A-Za-z0-9+._-]{0,127}`, without `..`.
public struct PackageName: ValidatedText, Comparable {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        guard (1...128).contains(text.utf8.count), text.utf8.first!.isASCIIAlphanumeric,
            text.utf8.allSatisfy({ $0.isASCIIAlphanumeric || "+._-".utf8.contains($0) }), !text.contains("..")
        else {
            throw KilnError(
                .invalidName, "“\(text.printable(limit: 80))” is not a package name.",
                hint: "Use 1 to 128 of letters, digits, +, ., _ and -, beginning with a letter or digit: kl pkg search finds names.")
        }
        value = text
    }

    public static func < (lhs: PackageName, rhs: PackageName) -> Bool { lhs.value < rhs.value }
}

/// A version as a source spells it: 1 to 128 of `[A-Za-z0-9.+~:_-]`, beginning with a letter or digit.
public struct PackageVersion: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        guard (1...128).contains(text.utf8.count), text.utf8.first!.isASCIIAlphanumeric,
            text.utf8.allSatisfy({ $0.isASCIIAlphanumeric || "+.~:_-".utf8.contains($0) })
        else {
            throw KilnError(
                .invalidValue, "“\(text.printable(limit: 80))” is not a version.",
                hint: "Write it like nodejs@20, nodejs@20.11.1 or nodejs@latest: kl pkg info NAME lists those that exist.")
        }
        value = text
    }
}

/// A path of the Nix store: `/nix/store/HASH-NAME`, the hash being 32 digits of Nix's base 32.
public struct StorePath: ValidatedText {
    public static let store = "/nix/store"
    /// Nix manual, “Store path”: the digits leave out e, o, t and u.
    private static let digits = Set("0123456789abcdfghijklmnpqrsvwxyz".utf8)

    public let value: String

    public init(_ text: String) throws(KilnError) {
        let prefix = Self.store + "/"
        let base = Array(text.utf8.dropFirst(prefix.utf8.count))
        guard text.hasPrefix(prefix), (34...243).contains(base.count), base[..<32].allSatisfy(Self.digits.contains), base[32] == UInt8(ascii: "-"),
            base[33] != UInt8(ascii: "."), base[33...].allSatisfy({ $0.isASCIIAlphanumeric || "+-._?=".utf8.contains($0) })
        else { throw KilnError(.invalidValue, "“\(text.printable(limit: 80))” is not a path of the Nix store.") }
        value = text
    }

    /// `HASH-NAME`.
    public var baseName: String { String(value.dropFirst(Self.store.count + 1)) }
    /// The 32 digits that name the path in a binary cache.
    public var hash: String { String(baseName.prefix(32)) }
}
