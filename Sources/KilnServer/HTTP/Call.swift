internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import Logging

/// A request as the routes see it: who asks, and for what.
struct Call: Sendable {
    let request: Request
    let identity: Identity
    let parameters: Parameters
    let logger: Logger

    /// A value of the query, percent-decoded.
    func query(_ name: String) -> String? { request.uri.queryParameters.get(name) }

    /// All values of a name that may be repeated.
    func queries(_ name: String) -> [String] { request.uri.queryParameters.getAll(name) }

    /// - Throws: `invalid-value` when it is no Unix time in seconds.
    func time(_ name: String) throws -> Double? {
        guard let text = query(name) else { return nil }
        guard let time = Double(text), (0..<1e11).contains(time) else {
            throw KilnError(.invalidValue, "?\(name)=\(text.printable(limit: 40)) is not a Unix time in seconds.")
        }
        return time
    }

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
        let text = try parameters.require("ref")
        // The only valid reference with a character that clients may escape.
        return text.lowercased() == "%40self" ? Routes.selfReference : text
    }
}
