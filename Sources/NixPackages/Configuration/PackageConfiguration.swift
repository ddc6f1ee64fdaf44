import FoundationEssentials
public import KilnModel

/// What the host offers its workspaces: where packages come from, and how much of the host may be used for them. Read from
/// `/etc/PREFIX/packages.json`; `docs/package-sources.md` describes the file.
public struct PackageConfiguration: Sendable, Hashable {
    /// Asked in this order; their names differ.
    public var sources: [SourceConfiguration]
    public var limits: PackageLimits

    public init(sources: [SourceConfiguration], limits: PackageLimits = PackageLimits()) {
        self.sources = sources
        self.limits = limits
    }

    /// Reads the file at `path`.
    /// - Returns: nil when there is none.
    /// - Throws: `KilnError` with `invalid-value` that names the file and what in it is wrong.
    public static func read(from path: String) throws -> PackageConfiguration? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try PackageConfiguration(json: Data(contentsOf: URL(filePath: path)), path: path)
    }

    /// Parses the text of the file; `path` is for what errors say.
    /// - Throws: `KilnError` with `invalid-value`.
    public init(json: some Sequence<UInt8>, path: String) throws(KilnError) {
        do {
            let decoder = JSONDecoder()
            decoder.allowsJSON5 = false
            self = try decoder.decode(PackageConfiguration.self, from: Data(json))
        } catch {
            throw KilnError(.invalidValue, "\(path): \(Self.cause(of: error))", hint: "Mend the file, then run make up again.")
        }
    }

    private static func cause(of error: any Error) -> String {
        switch error {
        case let error as KilnError: error.description
        case DecodingError.keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing."
        case DecodingError.valueNotFound(_, let context): "\(place(context.codingPath)) is null."
        case DecodingError.typeMismatch(let type, let context): "\(place(context.codingPath)) is no \(word(for: type))."
        case DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty: "This is not JSON: \(context.debugDescription)"
        case DecodingError.dataCorrupted(let context): "\(place(context.codingPath)): \(context.debugDescription)"
        default: "\(error)"
        }
    }

    private static func word(for type: any Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is any BinaryInteger.Type: "whole number"
        case is Bool.Type: "true or false"
        case is [Any].Type: "list"
        default: "object"
        }
    }

    /// `sources[0].name`.
    private static func place(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }
}

extension PackageConfiguration: Codable {
    private enum Key: String, CodingKey, CaseIterable { case sources, limits }

    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(otherThan: Key.self)
        let container = try decoder.container(keyedBy: Key.self)
        sources = try container.decode([SourceConfiguration].self, forKey: .sources)
        limits = try container.decodeIfPresent(PackageLimits.self, forKey: .limits) ?? PackageLimits()
        var seen: Set<Name> = []
        for source in sources where !seen.insert(source.name).inserted {
            throw DecodingError.dataCorruptedError(forKey: .sources, in: container, debugDescription: "two have the name \(source.name).")
        }
    }
}
