/// What was set by command in an environment, over what its Compose files say. It stays when other files are applied.
public struct EnvironmentSettings: Sendable, Codable, Hashable {
    /// One service's own.
    public struct ServiceSettings: Sendable, Codable, Hashable {
        public var variables: [String: String] = [:]
        public var files: [SettingsFile] = []

        public init() {}

        public var isEmpty: Bool { variables.isEmpty && files.isEmpty }
    }

    /// Of the whole environment: what the files' `${KEY}` stand for, and what each service gets that declares KEY.
    public var variables: [String: String] = [:]
    public var services: [Name: ServiceSettings] = [:]
    /// The secrets whose values were set by command; they win over those that files bring.
    public var secrets: Set<SecretName> = []

    public init() {}
}

/// A small file of a service, set by command.
public struct SettingsFile: Sendable, Codable, Hashable {
    public var path: ContainerPath
    public var text: String
    /// Permission bits; nil: 0444.
    public var mode: Int?

    /// Most that a file may have, in bytes, as in a Compose file's `content`.
    public static let maximumSize = 64 << 10

    /// - Throws: `invalid-value` for one that is too long, and for other than permission bits.
    public init(path: ContainerPath, text: String, mode: Int? = nil) throws(KilnError) {
        guard text.utf8.count <= Self.maximumSize else {
            throw KilnError(
                .invalidValue, "A file of \(text.utf8.count) bytes is too long to be set; \(Self.maximumSize) are the most.",
                hint: "Put it beside the Compose file and mount it.")
        }
        guard (0...0o7777).contains(mode ?? 0) else { throw KilnError(.invalidValue, "\(mode ?? 0) is no file mode.", hint: "Write it like 0644.") }
        self.path = path
        self.text = text
        self.mode = mode
    }

    private enum CodingKeys: String, CodingKey { case path, text, mode }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            path: container.decode(ContainerPath.self, forKey: .path), text: container.decode(String.self, forKey: .text),
            mode: container.decodeIfPresent(Int.self, forKey: .mode))
    }
}

extension EnvironmentSettings {
    /// The services with these settings in effect. A service that is named here and not there is left alone. Pure.
    public func applied(to services: [Service]) throws(KilnError) -> [Service] {
        var changed: [Service] = []
        for service in services { changed.append(try applied(to: service)) }
        return changed
    }

    private func applied(to service: Service) throws(KilnError) -> Service {
        var service = service
        let declared = Set(service.variables.map(\.key) + service.secretVariables.map(\.key))
        for (key, value) in variables.sorted(by: { $0.key < $1.key }) where declared.contains(key) { try service.set(key, to: value) }
        guard let own = self.services[service.name] else { return service }
        for (key, value) in own.variables.sorted(by: { $0.key < $1.key }) { try service.set(key, to: value) }
        for file in own.files.sorted(by: { $0.path.value < $1.path.value }) {
            service.files.removeAll { $0.path.components == file.path.components }
            service.files.append(FileMount(source: .text(file.text), path: file.path, readOnly: true, mode: file.mode))
        }
        return service
    }
}

extension Service {
    fileprivate mutating func set(_ key: String, to value: String) throws(KilnError) {
        let variable = try EnvironmentVariable(key: key, value: value)
        secretVariables.removeAll { $0.key == key }
        if let index = variables.firstIndex(where: { $0.key == key }) { variables[index] = variable } else { variables.append(variable) }
    }
}
