/// What becomes of each service when an environment gets other ones. Pure.
public struct ApplyPlan: Sendable, Codable, Hashable {
    public enum Action: String, Sendable, Codable { case create, change, remove, unchanged }

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

    public init(from existing: [Service], to wanted: [Service]) {
        let before = Dictionary(existing.map { ($0.name, $0) }) { first, _ in first }
        let kept = Set(wanted.map(\.name))
        steps = wanted.map { service in
            guard let old = before[service.name] else { return Step(service: service.name, action: .create) }
            guard old != service else { return Step(service: service.name, action: .unchanged) }
            return Step(
                service: service.name, action: .change, fields: service.differences(from: old), restarts: service.containerPart != old.containerPart)
        }
        steps += existing.filter { !kept.contains($0.name) }.map { Step(service: $0.name, action: .remove) }
    }

    public var changesNothing: Bool { steps.allSatisfy { $0.action == .unchanged } }
}

extension Service {
    /// Properties whose name in a Compose file is not their own in snake case.
    private static let composeNames = ["variables": "environment", "dependencies": "depends_on", "addressIndex": "address"]

    /// The properties that differ, in the order of their declaration. By reflection, so that a new property cannot be forgotten here.
    fileprivate func differences(from old: Service) -> [String] {
        zip(Mirror(reflecting: old).children, Mirror(reflecting: self).children).compactMap { before, after in
            guard let label = after.label, (before.value as? AnyHashable) != (after.value as? AnyHashable) else { return nil }
            if label == "image" { return if case .build = image { "build" } else { "image" } }
            return Self.composeNames[label] ?? label.snakeCase
        }
    }
}

extension String {
    fileprivate var snakeCase: String { map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined() }
}
