/// As much of JSON Schema as the API's description uses. A keyword that is not known here is a violation, so that none is passed over.
struct JSONSchema {
    let document: JSON

    private static let annotations: Set<String> = ["description", "examples", "format"]

    /// What of `value` does not fit, with its place.
    func violations(of schema: JSON, _ value: JSON, at place: String = "$") -> [String] {
        schema.object.flatMap { keyword, argument in check(keyword, argument, schema, value, place) }
    }

    func resolve(_ reference: String) -> JSON? {
        reference.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
    }

    private func check(_ keyword: String, _ argument: JSON, _ schema: JSON, _ value: JSON, _ place: String) -> [String] {
        switch (keyword, value) {
        case ("$ref", _):
            guard let target = argument.text.flatMap(resolve) else { return ["\(place): \(argument) leads nowhere"] }
            return violations(of: target, value, at: place)
        case ("type", _): return isType(argument.text ?? "", value) ? [] : ["\(place): \(value) is no \(argument.text ?? "")"]
        case ("const", _): return argument == value ? [] : ["\(place): \(value) is not \(argument)"]
        case ("enum", _): return argument.list.contains(value) ? [] : ["\(place): \(value) is none of \(argument.list)"]
        case ("oneOf", _):
            let results = argument.list.map { violations(of: $0, value, at: place) }
            return results.count { $0.isEmpty } == 1 ? [] : ["\(place): fits not exactly one of: \(results)"]
        case ("required", .object(let object)):
            return argument.list.compactMap(\.text).filter { object[$0] == nil }.map { "\(place): lacks \($0)" }
        case ("properties", .object(let object)):
            return argument.object.flatMap { key, schema in object[key].map { violations(of: schema, $0, at: "\(place).\(key)") } ?? [] }
        case ("additionalProperties", .object(let object)):
            let others = object.filter { schema["properties"]?[$0.key] == nil }
            if argument == .flag(false) { return others.keys.map { "\(place): has \($0), which is not described" } }
            return others.flatMap { violations(of: argument, $0.value, at: "\(place).\($0.key)") }
        case ("items", .list(let list)):
            return list.enumerated().flatMap { violations(of: argument, $0.element, at: "\(place)[\($0.offset)]") }
        case ("pattern", .text(let text)):
            guard let pattern = argument.text, let expression = try? Regex(pattern) else { return ["\(place): \(argument) is no expression"] }
            return text.contains(expression) ? [] : ["\(place): “\(text)” does not match \(pattern)"]
        case ("minimum", .number(let number)): return number >= argument.number ?? 0 ? [] : ["\(place): \(number) is too small"]
        case ("maximum", .number(let number)): return number <= argument.number ?? 0 ? [] : ["\(place): \(number) is too large"]
        case ("uniqueItems", .list(let list)):
            return list.indices.contains { list[..<$0].contains(list[$0]) } ? ["\(place): something is in it twice"] : []
        case ("required", _), ("properties", _), ("additionalProperties", _), ("items", _), ("pattern", _), ("minimum", _), ("maximum", _),
            ("uniqueItems", _):
            return []
        default: return Self.annotations.contains(keyword) ? [] : ["\(place): the keyword \(keyword) is not known to the tests"]
        }
    }

    private func isType(_ type: String, _ value: JSON) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .list), ("string", .text), ("number", .number), ("boolean", .flag), ("null", .null): true
        case ("integer", .number(let number)): number.rounded() == number
        default: false
        }
    }
}
