/// What becomes of each service when an environment gets other ones. Pure.
public struct ApplyPlan: Sendable, Codable, Hashable {
    public enum Action: String, Sendable, Codable, CaseIterable { case create, change, remove, unchanged }

    public struct Step: Sendable, Codable, Hashable {
        public var service: Name
        public var action: Action
        /// What differs, in the words of Compose; empty unless it changes.
        public var fields: [String]
        /// Whether a container that runs is replaced.
        public var restarts: Bool

        public init(service: Name, action: Action, fields: [String] = [], restarts: Bool = false) {
            self.service = service
            self.action = action
            self.fields = fields
            self.restarts = restarts
        }
    }

    /// The wanted services in their order, then those that go.
    public var steps: [Step]

    public init(steps: [Step]) { self.steps = steps }

    /// - Parameter secrets: those that get other values.
    public init(from existing: [Service], to wanted: [Service], secrets: Set<SecretName> = []) {
        let before = Dictionary(existing.map { ($0.name, $0) }) { first, _ in first }
        let kept = Set(wanted.map(\.name))
        steps = wanted.map { service in
            guard let old = before[service.name] else { return Step(service: service.name, action: .create) }
            let hasOtherSecrets = !service.secrets.isDisjoint(with: secrets)
            guard old != service || hasOtherSecrets else { return Step(service: service.name, action: .unchanged) }
            return Step(
                service: service.name, action: .change, fields: service.differences(from: old) + (hasOtherSecrets ? ["secrets"] : []),
                restarts: service.containerPart != old.containerPart || hasOtherSecrets)
        }
        steps += existing.filter { !kept.contains($0.name) }.map { Step(service: $0.name, action: .remove) }
    }

    public var changesNothing: Bool { steps.allSatisfy { $0.action == .unchanged } }
}

extension Service {
    /// Properties whose name in a Compose file is not their own in snake case.
    private static let composeNames = [
        "addressIndex": "address", "namedPorts": "ports", "variables": "environment", "secretVariables": "environment", "dependencies": "depends_on",
        "groups": "group_add", "workingDirectory": "working_dir", "addedCapabilities": "cap_add", "droppedCapabilities": "cap_drop",
        "kernelSettings": "sysctls", "processLimits": "ulimits", "hasInit": "init", "memoryFolders": "tmpfs", "sharedMemory": "shm_size",
        "isReadOnly": "read_only", "hasTerminal": "tty", "keepsInputOpen": "stdin_open", "hosts": "extra_hosts",
    ]

    /// The properties that differ, in the order of their declaration. By reflection, so that a new property cannot be forgotten here.
    fileprivate func differences(from old: Service) -> [String] {
        let names = Self.differences(old, self).flatMap { label in
            label == "settings" ? Self.differences(old.settings, settings) : [label]
        }
        var seen: Set<String> = []
        return names.compactMap { label in
            let name = if label == "image", case .build = image { "build" } else { Self.composeNames[label] ?? label.snakeCase }
            return seen.insert(name).inserted ? name : nil
        }
    }

    private static func differences(_ old: Any, _ new: Any) -> [String] {
        zip(Mirror(reflecting: old).children, Mirror(reflecting: new).children).compactMap { before, after in
            (before.value as? AnyHashable) == (after.value as? AnyHashable) ? nil : after.label
        }
    }
}

extension String {
    fileprivate var snakeCase: String { map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined() }
}
