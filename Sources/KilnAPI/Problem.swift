public import KilnModel

/// An error answer: `application/problem+json` (RFC 9457) with a stable `code` and a `hint` that mends it.
public struct Problem: Sendable, Codable, Hashable {
    public var type: String
    public var title: String
    public var status: Int
    public var detail: String
    public var code: KilnError.Code
    public var hint: String?

    public init(_ error: KilnError) {
        type = "urn:kiln:problem:\(error.code.value)"
        title = error.code.value.split(separator: "-").joined(separator: " ")
        status = error.code.category.httpStatus
        detail = error.message
        code = error.code
        hint = error.hint
    }

    public var error: KilnError { KilnError(code, detail, hint: hint) }

    private enum CodingKeys: String, CodingKey { case type, title, status, detail, code, category, hint }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        type = try container.decode(String.self, forKey: .type)
        title = try container.decode(String.self, forKey: .title)
        status = try container.decode(Int.self, forKey: .status)
        detail = try container.decode(String.self, forKey: .detail)
        code = try .init(container.decode(String.self, forKey: .code), container.decode(KilnError.Category.self, forKey: .category))
        hint = try container.decodeIfPresent(String.self, forKey: .hint)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encode(title, forKey: .title)
        try container.encode(status, forKey: .status)
        try container.encode(detail, forKey: .detail)
        try container.encode(code.value, forKey: .code)
        try container.encode(code.category, forKey: .category)
        try container.encodeIfPresent(hint, forKey: .hint)
    }
}

extension KilnError.Category {
    public var httpStatus: Int {
        switch self {
        case .usage: 400
        case .unauthenticated: 401
        case .notAllowed: 403
        case .notFound: 404
        case .conflict: 409
        case .failed: 500
        case .unavailable: 503
        case .timedOut: 504
        }
    }
}
