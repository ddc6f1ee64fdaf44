import FoundationEssentials
import Testing

/// `/api/openapi.json` is exactly what is served. That answers fit their schemas is held by every test that sends a request (`ServerFixture.send`).
@Suite(.timeLimit(.minutes(2))) struct DescriptionTests {
    private func described(_ body: @escaping @Sendable (ServerFixture, APIDescription) async throws -> Void) async throws {
        try await ServerFixture.with { kilnd in
            let answer = try await kilnd.send("GET", "/api/openapi.json", token: nil)
            #expect(answer.status == 200)
            try await body(kilnd, APIDescription(document: try JSON(answer.body)))
        }
    }

    /// A path that fits a template and names nothing that is there.
    private func path(_ template: String) -> String {
        template.replacing("{ref}", with: "nothing").replacing("{id}", with: "0123456789").replacing("{name}", with: "jq").replacing(
            "{digest}", with: String(repeating: "0", count: 64))
    }

    @Test func `every method of every path is served just as it is described, and no other`() async throws {
        try await described { kilnd, description in
            #expect(description.operations.count > 40)
            for (template, operations) in description.document["paths"]?.object ?? [:] {
                let described = Set(operations.object.keys.map { $0.uppercased() })
                for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                    // A session's or a stream's answer does not end by itself; that they are served others see.
                    if described.contains(method), template == "/api/v1/events" { continue }
                    let answer = try await kilnd.send(method, path(template), token: "admin", body: method == "GET" || method == "HEAD" ? nil : "{}")
                    if described.contains(method) {
                        #expect(answer.status != 405, "\(method) \(template)")
                        #expect(!answer.text.contains("There is nothing at this path"), "\(method) \(template)")
                    } else {
                        #expect(answer.status == 405, "\(method) \(template)")
                        let allowed = Set((answer.headers["allow"] ?? "").split(separator: ",").map { $0.filter { $0 != " " } })
                        #expect(allowed == described, "\(template)")
                    }
                }
            }
        }
    }

    @Test func `only what is described as open is answered without a token`() async throws {
        try await described { kilnd, description in
            for operation in description.operations {
                let isOpen = operation.content["security"] == .list([])
                let answer = try await kilnd.send(operation.method, path(operation.path), token: nil, body: operation.method == "GET" ? nil : "{}")
                #expect((answer.status == 401) != isOpen, "\(operation.method) \(operation.path)")
            }
        }
    }

    @Test func `every reference leads somewhere, every name is one, every parameter of a path is described`() async throws {
        try await described { _, description in
            var references: Set<String> = []
            func collect(_ json: JSON) {
                switch json {
                case .object(let object):
                    if let reference = object["$ref"]?.text { references.insert(reference) }
                    object.values.forEach(collect)
                case .list(let list): list.forEach(collect)
                default: break
                }
            }
            collect(description.document)
            for reference in references { #expect(description.schema.resolve(reference) != nil, "\(reference)") }
            let schemas = Set(description.document["components"]?["schemas"]?.object.keys.map { "#/components/schemas/\($0)" } ?? [])
            #expect(schemas.subtracting(references).isEmpty)

            let names = description.operations.compactMap { $0.content["operationId"]?.text }
            #expect(names.count == description.operations.count && Set(names).count == names.count)
            for operation in description.operations {
                #expect(operation.content["summary"]?.text?.isEmpty == false)
                let parameters = (operation.content["parameters"]?.list ?? []).filter { $0["in"]?.text == "path" }.compactMap { $0["name"]?.text }
                let inPath = operation.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
                #expect(parameters == inPath, "\(operation.path)")
            }
        }
    }

    @Test func `schemas say what the types say`() async throws {
        try await described { _, description in
            let schemas = description.document["components"]?["schemas"]
            #expect(schemas?["CreateWorkspace"]?["required"] == .list([.text("name")]))
            #expect(schemas?["Name"]?["pattern"]?.text?.hasPrefix("^[a-z0-9]") == true)
            #expect(schemas?["Workspace.Phase"]?["enum"]?.list.contains(.text("Suspended")) == true)
            #expect(schemas?["ServiceImage"]?["oneOf"]?.list.count == 2)
            #expect(schemas?["Environment.Spec"]?["properties"]?["generations"]?["additionalProperties"]?["type"] == .text("integer"))
            let name = try JSON(Array(#""Wrong""#.utf8))
            #expect(description.schema.violations(of: schemas?["Name"] ?? .null, name).count == 1)
        }
    }
}
