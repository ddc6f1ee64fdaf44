internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import KilnModel
internal import NIOCore
internal import NIOFoundationEssentialsCompat

/// JSON bodies in and out.
enum RequestJSON {
    /// Largest body, in bytes: a Compose file, its environment files and their escapes.
    static let limit = 4 << 20

    /// - Throws: `too-large`; `invalid-value` that names the field; what the value types throw.
    static func decode<Value: Decodable>(_ type: Value.Type, from request: Request) async throws -> Value {
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw KilnError.tooLarge(limit: limit)
        }
        return try decode(type, from: Data(buffer: body))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value { try decode(type, from: Data(text.utf8)) }

    static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DecodingError {
            throw KilnError(.invalidValue, describe(error))
        }
    }

    /// A value as text, keys sorted: equal values are equal texts.
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func describe(_ error: DecodingError) -> String {
        func field(_ path: [any CodingKey]) -> String {
            let text = path.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
            return text.hasPrefix(".") ? String(text.dropFirst()).printable(limit: 80) : text
        }
        switch error {
        case .keyNotFound(let key, let context):
            return "The field \(field(context.codingPath + [key])) is missing."
        case .valueNotFound(_, let context):
            return "The field \(field(context.codingPath)) is null."
        case .typeMismatch(_, let context), .dataCorrupted(let context):
            let path = field(context.codingPath)
            return path.isEmpty ? "The body is not the JSON that is expected here." : "The field \(path) has the wrong type or form."
        @unknown default:
            return "The body is not the JSON that is expected here."
        }
    }
}

extension Response {
    static func json(text: String) -> Response {
        let body = ByteBuffer(string: text)
        return Response(
            status: .ok, headers: [.contentType: "application/json", .contentLength: String(body.readableBytes)],
            body: ResponseBody(byteBuffer: body)
        )
    }

    /// A resource, with its ETag.
    static func json<Item: Resource>(status: HTTPResponse.Status = .ok, _ resource: Item) throws -> Response {
        var response = json(text: try RequestJSON.text(resource), VersionTag(id: resource.metadata.id, version: resource.metadata.version))
        response.status = status
        return response
    }

    static func json(status: HTTPResponse.Status = .ok, _ value: some Encodable) throws -> Response {
        var response = json(text: try RequestJSON.text(value))
        response.status = status
        return response
    }

    /// A resource's JSON, with its ETag.
    static func json(text: String, _ tag: VersionTag) -> Response {
        var response = json(text: text)
        response.headers[.eTag] = tag.text(for: text)
        return response
    }
}
