internal import Crypto
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import KilnModel

/// The ETag of a resource: its id and version, which stand for what is wanted, and a digest of the answer (RFC 9110, section 8.8.3). A change is asked for
/// what is wanted, so `If-Match` passes over the digest: a status that goes on is no reason to refuse it. What somebody has read and knows, which
/// `If-None-Match` says, is the whole answer.
struct VersionTag: Hashable {
    let id: ResourceID
    let version: Int

    /// As `If-Match` may say it.
    var wanted: String { "\"\(id).\(version)\"" }

    /// The ETag of an answer with this body.
    func text(for body: String) -> String {
        let digest = SHA256.hash(data: Data(body.utf8)).prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\"\(id).\(version).\(digest)\""
    }

    /// What a request expects to change, as its `If-Match` says: any of several versions.
    struct Expectation {
        private let tags: Set<String>

        /// nil when the header is not there, or says `*`.
        init?(_ field: String?) {
            guard let field else { return nil }
            tags = Set(VersionTag.list(field))
            if tags == ["*"] { return nil }
        }

        /// - Returns: the version that is expected, which is the current one.
        /// - Throws: `stale-version`.
        func check(_ current: VersionTag, _ what: String) throws(KilnError) -> Int {
            guard tags.contains(where: { $0 == current.wanted || $0.hasPrefix(current.wanted.dropLast() + ".") }) else {
                throw KilnError(
                    .staleVersion,
                    "The \(what) has changed: its tag is \(current.wanted), the request was made for \(tags.sorted().joined(separator: ", ").printable(limit: 80)).",
                    hint: "Read it again, then repeat the change.")
            }
            return current.version
        }
    }

    fileprivate static func list(_ field: String) -> [String] { field.split(separator: ",").map { $0.trimmingSpaces } }
}

extension Response {
    /// This answer, or 304 without a body when whoever asks knows it already.
    func unless(knownBy request: Request) -> Response {
        guard let tag = headers[.eTag], let known = request.headers[.ifNoneMatch] else { return self }
        // Weak or not: a proxy may have compressed it (RFC 9110, section 13.1.2).
        let tags = VersionTag.list(known).map { $0.hasPrefix("W/") ? String($0.dropFirst(2)) : $0 }
        guard tags.contains(tag) || tags == ["*"] else { return self }
        return Response(status: .notModified, headers: [.eTag: tag])
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
