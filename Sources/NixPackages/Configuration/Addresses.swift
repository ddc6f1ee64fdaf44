public import KilnModel

/// Where a file or folder of files lies: `https://…`, `http://…`, `file:///…` or an absolute path. Without user, query and fragment; passwords
/// belong into a netrc file.
public struct FileAddress: ValidatedText {
    /// Paths as `file://` URLs; without a `/` at the end.
    public let value: String

    public init(_ text: String) throws(KilnError) {
        let url = text.hasPrefix("/") ? "file://" + text : text
        guard let parts = AddressParts(url), ["https", "http", "file"].contains(parts.scheme), parts.query == nil else {
            throw KilnError(
                .invalidValue, "“\(text.printable(limit: 80))” is neither an address nor an absolute path.",
                hint: "Write it like https://packages.example.com/kiln or /srv/packages.")
        }
        value = parts.address
    }

    /// The path on this host; nil for an address elsewhere.
    public var path: String? { value.hasPrefix("file://") ? String(value.dropFirst("file://".utf8.count)) : nil }

    /// What lies below this address.
    /// - Throws: `invalid-value` for a path that would have to be escaped, or leads upwards.
    func appending(_ path: String) throws(KilnError) -> FileAddress { try FileAddress(value + "/" + path) }
}

/// A binary cache of Nix: `https://…`, `http://…`, `file:///…`, an absolute path, or `s3://BUCKET?region=…`.
public struct BinaryCacheAddress: ValidatedText {
    /// As Nix wants it.
    public let value: String

    /// Nix's settings of an s3 store that choose where it lies; others, such as `trusted`, would change what is believed.
    private static let parameters = ["region", "endpoint", "scheme", "profile"]

    public init(_ text: String) throws(KilnError) {
        let url = text.hasPrefix("/") ? "file://" + text : text
        guard let parts = AddressParts(url), ["https", "http", "file", "s3"].contains(parts.scheme), Self.accepts(parts) else {
            throw KilnError(
                .invalidValue, "“\(text.printable(limit: 80))” is not the address of a binary cache.",
                hint: "Write it like https://cache.example.com, /srv/cache or s3://bucket?region=eu-central-1.")
        }
        value = parts.address + (parts.query.map { "?" + $0 } ?? "")
    }

    private static func accepts(_ parts: AddressParts) -> Bool {
        guard let query = parts.query else { return true }
        return parts.scheme == "s3"
            && query.split(separator: "&", omittingEmptySubsequences: false).allSatisfy { setting in
                setting.split(separator: "=").first.map { parameters.contains(String($0)) } ?? false
            }
    }

    /// The same as the address of files; nil when they cannot be read one by one (s3).
    public var fileAddress: FileAddress? { try? FileAddress(value) }
}

/// The parts of a URL that addresses have in common.
private struct AddressParts {
    var scheme: String
    /// Scheme, host and path, without `/` at the end.
    var address: String
    var query: String?

    /// nil for what is no URL, or one with a user, a fragment, a step upwards, or characters that would have to be escaped.
    init?(_ url: String) {
        let allowed = url.utf8.allSatisfy { $0.isLetterOrDigit || "-._~:/?=&+,@!".utf8.contains($0) }
        guard allowed, url.utf8.count <= 2048, let colon = url.firstRange(of: "://") else { return nil }
        scheme = String(url[..<colon.lowerBound])
        let pieces = url[colon.upperBound...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        query = pieces.count == 2 ? String(pieces[1]) : nil
        var place = pieces[0]
        while place.hasSuffix("/") { place.removeLast() }
        let steps = place.split(separator: "/", omittingEmptySubsequences: false)
        guard let host = steps.first, host.isEmpty == (scheme == "file"), !host.contains("@"), !place.isEmpty,
            steps.dropFirst().allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
        else { return nil }
        address = "\(scheme)://\(place)"
    }
}

extension UInt8 {
    /// Of ASCII.
    var isLetterOrDigit: Bool { (48...57).contains(self) || (65...90).contains(self) || (97...122).contains(self) }
}
