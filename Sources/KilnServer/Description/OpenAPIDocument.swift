internal import KilnAPI
internal import KilnModel

/// The route table as an OpenAPI 3.1 document. Pure.
enum OpenAPIDocument {
    private static let json = "application/json"
    private static let problem = "application/problem+json"

    static func make(_ routes: [RouteTable.Route]) throws -> JSONTree {
        let schemas = SchemaCollector()
        let failure: JSONTree = [
            "description": "A problem (RFC 9457) with a stable code, and a hint that mends it.",
            "content": [problem: ["schema": try schemas.schema(of: Problem.self)]],
        ]
        var paths: [String: JSONTree] = [:]
        for (path, routes) in Dictionary(grouping: routes, by: \.path) {
            var operations: [String: JSONTree] = [:]
            for route in routes { operations[route.method.rawValue.lowercased()] = try operation(route, schemas) }
            paths[path] = .object(operations)
        }
        return [
            "openapi": "3.1.0",
            "info": ["title": "Kiln", "version": .text(KilnVersion.current), "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"]],
            "security": [["bearer": []]],
            "paths": .object(paths),
            "components": [
                "securitySchemes": ["bearer": ["type": "http", "scheme": "bearer"]],
                "responses": ["Problem": failure],
                "schemas": .object(schemas.components),
            ],
        ]
    }

    private static func operation(_ route: RouteTable.Route, _ schemas: SchemaCollector) throws -> JSONTree {
        let description = route.description
        var operation: [String: JSONTree] = [
            "operationId": .text(description.id), "summary": .text(description.summary),
            "responses": .object(
                Dictionary(try description.answers.map { (String($0.status), try response($0, schemas)) }) { first, _ in first }
                    .merging(["default": ["$ref": "#/components/responses/Problem"]]) { $1 }),
        ]
        let parameters = try pathParameters(route.path, schemas) + description.parameters.map { try parameter($0, schemas) }
        if !parameters.isEmpty { operation["parameters"] = .list(parameters) }
        if let body = description.body { operation["requestBody"] = ["required": true, "content": try content(body, schemas)] }
        if route.isOpen { operation["security"] = [] }
        return .object(operation)
    }

    private static func pathParameters(_ path: String, _ schemas: SchemaCollector) throws -> [JSONTree] {
        try path.split(separator: "/").filter { $0.hasPrefix("{") && $0.hasSuffix("}") }.map { segment in
            let name = String(segment.dropFirst().dropLast())
            let schema = try name == "digest" ? schemas.schema(of: ContentDigest.self) : ["type": "string"]
            var parameter: [String: JSONTree] = ["name": .text(name), "in": "path", "required": true, "schema": schema]
            if name == "ref" {
                parameter["description"] = .text(
                    "[owner/]name with its slash escaped (ben%2Fhello), an id, or \(Routes.selfReference) from inside a workspace.")
            }
            return .object(parameter)
        }
    }

    private static func parameter(_ parameter: RouteDescription.Parameter, _ schemas: SchemaCollector) throws -> JSONTree {
        let schema = try schemas.schema(of: parameter.type)
        var object: [String: JSONTree] = [
            "name": .text(parameter.name), "in": parameter.isHeader ? "header" : "query", "description": .text(parameter.meaning),
            "schema": parameter.isRepeatable ? ["type": "array", "items": schema] : schema,
        ]
        if parameter.isRequired { object["required"] = true }
        return .object(object)
    }

    private static func response(_ answer: RouteDescription.Answer, _ schemas: SchemaCollector) throws -> JSONTree {
        var response: [String: JSONTree] = ["description": .text(answer.meaning)]
        if let content = answer.content { response["content"] = try Self.content(content, schemas) }
        if answer.hasTag {
            response["headers"] = ["ETag": ["description": "For If-Match and If-None-Match.", "schema": ["type": "string"]]]
        }
        return .object(response)
    }

    private static func content(_ content: RouteDescription.Content, _ schemas: SchemaCollector) throws -> JSONTree {
        switch content {
        case .json(let type): return [json: ["schema": try schemas.schema(of: type)]]
        case .bytes(let media, let meaning): return .object([media: ["schema": ["type": "string", "description": .text(meaning)]]])
        case .stream(let media, let type):
            // OpenAPI 3.1 has no word for the items of a stream.
            return .object([media: ["schema": ["type": "string"], "x-item-schema": try schemas.schema(of: type)]])
        }
    }
}
