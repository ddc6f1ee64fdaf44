import FoundationEssentials
import Synchronization

/// What a server says of itself, to hold it to.
struct APIDescription: Sendable {
    struct Operation: Sendable {
        let method: String
        let path: String
        let content: JSON
    }

    let document: JSON
    private static let known = Mutex<APIDescription?>(nil)

    /// The same for every server of a test run.
    static func served(at port: Int) async throws -> APIDescription {
        if let description = known.withLock({ $0 }) { return description }
        let answer = try await RawConnection.with(port: port) { connection in
            try await connection.send("GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return try await connection.answer()
        }
        let description = APIDescription(document: try JSON(answer.body))
        known.withLock { $0 = description }
        return description
    }

    var schema: JSONSchema { JSONSchema(document: document) }

    var operations: [Operation] {
        (document["paths"]?.object ?? [:]).flatMap { path, operations in
            operations.object.map { Operation(method: $0.key.uppercased(), path: path, content: $0.value) }
        }
    }

    /// The templates that a path fits; the one with the fewest parameters is meant.
    func template(of path: String) -> String? {
        let segments = path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        let fitting = (document["paths"]?.object ?? [:]).keys.filter { template in
            let parts = template.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == segments.count && zip(parts, segments).allSatisfy { $0.hasPrefix("{") ? !$1.isEmpty : $0 == $1 }
        }
        return fitting.min { $0.count { $0 == "{" } < $1.count { $0 == "{" } }
    }

    /// What of an exchange is not as described.
    func violations(_ method: String, _ path: String, request: String?, _ answer: Answer) throws -> [String] {
        guard let template = template(of: path) else {
            return [401, 403, 404].contains(answer.status) ? [] : ["is answered with \(answer.status) and not described"]
        }
        guard let operation = document["paths"]?[template]?[method.lowercased()] else {
            return [401, 403, 405].contains(answer.status) ? [] : ["is answered with \(answer.status), and the method is not described"]
        }
        guard let described = operation["responses"]?["\(answer.status)"] else {
            guard answer.status >= 400 else { return ["the status \(answer.status) is not described"] }
            if method == "HEAD" { return [] }
            let problem = schema.resolve("#/components/responses/Problem") ?? .null
            return try violations(of: problem, answer)
        }
        return try violations(of: described, answer) + requestViolations(operation, path, request)
    }

    private func violations(of response: JSON, _ answer: Answer) throws -> [String] {
        let tagged = response["headers"]?["ETag"] != nil
        var violations: [String] = []
        if tagged != (answer.headers["etag"] != nil) { violations.append("the ETag is \(answer.headers["etag"] ?? "missing")") }
        guard let content = response["content"]?.object else { return violations + (answer.body.isEmpty ? [] : ["has a body that is not described"]) }
        let type = String((answer.headers["content-type"] ?? "").prefix { $0 != ";" })
        guard let media = content[type] else { return violations + ["the media type \(type) is none of \(content.keys.sorted())"] }
        if let item = media["x-item-schema"] {
            for line in answer.text.split(separator: "\n") { violations += schema.violations(of: item, try JSON(Array(line.utf8))) }
        } else if type.hasSuffix("json"), media["schema"]?["type"] != .text("string") {
            violations += schema.violations(of: media["schema"] ?? .null, try JSON(answer.body))
        }
        return violations
    }

    /// Of a request that was taken: its query and its body.
    private func requestViolations(_ operation: JSON, _ path: String, _ request: String?) throws -> [String] {
        let parameters = Set((operation["parameters"]?.list ?? []).filter { $0["in"]?.text == "query" }.compactMap { $0["name"]?.text })
        let query = path.drop { $0 != "?" }.dropFirst().split(separator: "&").map { String($0.prefix { $0 != "=" }) }
        var violations = query.filter { !parameters.contains($0) }.map { "?\($0) is taken and not described" }
        if let body = operation["requestBody"]?["content"]?["application/json"]?["schema"] {
            violations += schema.violations(of: body, try JSON(Array((request ?? "").utf8))).map { "the request: \($0)" }
        }
        return violations
    }
}
