internal import KilnModel

/// A resource as verbs speak of it.
protocol ShownResource: Resource {
    /// `workspace`
    static var noun: String { get }
    /// What shows one in detail: `kl workspace show`.
    static var showCommand: String { get }
    var phaseText: String { get }
    var reason: Reason? { get }
}

extension ShownResource {
    /// `workspace hello`
    var title: String { "\(Self.noun) \(metadata.name)" }

    static var capitalizedNoun: String { noun.prefix(1).uppercased() + noun.dropFirst() }
}

extension Workspace: ShownResource {
    static var noun: String { "workspace" }
    static var showCommand: String { "kl workspace show" }
    var phaseText: String { status.phase.rawValue }
    var reason: Reason? { status.reason }
}

extension Environment: ShownResource {
    static var noun: String { "environment" }
    static var showCommand: String { "kl env show" }
    var phaseText: String { status.phase.rawValue }
    var reason: Reason? { status.reason }
}

extension Workmachine: ShownResource {
    static var noun: String { "workmachine" }
    static var showCommand: String { "kl machine show" }
    var phaseText: String { status.phase.rawValue }
    var reason: Reason? { status.reason }
}
