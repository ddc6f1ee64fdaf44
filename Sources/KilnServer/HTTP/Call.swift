internal import HTTPTypes
internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore
internal import Logging

/// A request as the routes see it: who asks, and for what.
struct Call: Sendable {
    let request: Request
    let identity: Identity
    let parameters: Parameters
    /// Of the route: nothing but what it says is asked of a request.
    let description: RouteDescription
    /// What all routes are called.
    let operations: Set<String>
    let note: RequestNote
    /// The store as this request changes it: every change is noted along with it.
    let store: KilnStore
    let logger: Logger

    /// - Throws: `invalid-value` when the query has what the route does not know, which may have been meant to restrict what is done.
    func checkQuery() throws(KilnError) {
        let known = description.parameters.filter { !$0.isHeader }
        var seen: Set<Substring> = []
        for (key, _) in request.uri.queryParameters {
            guard let parameter = known.first(where: { $0.name == key }) else {
                let names = known.map { "?\($0.name)=" }.joined(separator: ", ")
                throw KilnError(
                    .invalidValue, "?\(String(key).printable(limit: 40))= is not known here.",
                    hint: names.isEmpty ? "Leave it out: nothing is asked here." : "There is \(names).")
            }
            guard seen.insert(key).inserted || parameter.isRepeatable else { throw KilnError(.invalidValue, "?\(key)= is there twice.") }
        }
    }

    /// A value of the query, percent-decoded.
    func query(_ name: String) -> String? {
        assert(description.takes(name), "\(description.id) reads ?\(name)=, which its description does not have")
        return request.uri.queryParameters.get(name)
    }

    /// All values of a name that may be repeated.
    func queries(_ name: String) -> [String] {
        assert(description.takes(name), "\(description.id) reads ?\(name)=, which its description does not have")
        return request.uri.queryParameters.getAll(name)
    }

    /// The body, which the route is described to take.
    func body<Value: Decodable>(_ type: Value.Type) async throws -> Value {
        assert(description.takes(body: type), "\(description.id) reads \(type), which its description does not have")
        return try await RequestJSON.decode(type, from: request)
    }

    /// The version that the request was made from; nil when it does not say.
    /// - Throws: `stale-version` when that is not the one the resource has.
    func expectedVersion(of document: Document, _ kind: ResourceKind) throws -> Int? {
        assert(description.isConditional, "\(description.id) reads If-Match, which its description does not have")
        let tag = VersionTag(id: document.id, version: document.version)
        return try VersionTag.Expectation(request.headers[.ifMatch])?.check(tag, "\(kind.noun) \(document.name)")
    }

    /// - Throws: `invalid-value` when it is no RFC 3339 time.
    func time(_ name: String) throws -> Timestamp? { try query(name).map { try Timestamp($0) } }

    /// - Throws: `invalid-value` unless it is `true` or `false`; absent counts as false.
    func flag(_ name: String) throws -> Bool {
        switch query(name) {
        case nil, "false": false
        case "true", "": true
        case let text?: throw KilnError(.invalidValue, "?\(name)=\(text.printable(limit: 40)) is neither true nor false.")
        }
    }

    /// - Throws: `invalid-value` when it is no whole number in `range`.
    func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = query(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw KilnError(
                .invalidValue, "?\(name)=\(text.printable(limit: 40)) is not a number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return number
    }

    /// The owner whose resources are meant: `?owner=`, or who asks.
    func owner() throws -> Name {
        try query("owner").map { try Name($0) } ?? identity.owner
    }

    /// The `{ref}` of the path.
    func reference() throws -> String {
        // All that a valid reference can have escaped. An owner's slash has to be: what follows a plain one is an action.
        try parameters.require("ref").replacing("%40", with: "@").replacing("%2F", with: "/").replacing("%2f", with: "/")
    }
}
