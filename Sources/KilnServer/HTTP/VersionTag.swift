internal import HTTPTypes
internal import KilnModel

/// The ETag of a resource: its id and version (RFC 9110, section 8.8.3). It stands for what is wanted, which requests change; a status that goes on
/// leaves it alone.
struct VersionTag: Hashable, CustomStringConvertible {
    let id: ResourceID
    let version: Int

    var description: String { "\"\(id).\(version)\"" }

    /// What a request expects to change, as its `If-Match` says: any of several versions.
    struct Expectation {
        private let tags: Set<String>

        /// nil when the header is not there, or says `*`.
        init?(_ field: String?) {
            guard let field else { return nil }
            tags = Set(field.split(separator: ",").map { $0.trimmingSpaces })
            if tags == ["*"] { return nil }
        }

        /// - Returns: the version that is expected, which is the current one.
        /// - Throws: `stale-version`.
        func check(_ current: VersionTag, _ what: String) throws(KilnError) -> Int {
            guard tags.contains(current.description) else {
                throw KilnError(
                    .staleVersion,
                    "The \(what) has changed: its tag is \(current), the request was made for \(tags.sorted().joined(separator: ", ").printable(limit: 80)).",
                    hint: "Read it again, then repeat the change.")
            }
            return current.version
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
