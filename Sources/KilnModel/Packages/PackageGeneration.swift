/// A list of packages that a workspace has or had, and how it came about.
public struct PackageGeneration: Sendable, Codable, Hashable {
    /// What led to a list.
    public enum Deed: String, Sendable, Codable, CaseIterable {
        case create, add, remove, update, rollback, `import`, sync
        /// Kiln took back what could not be had.
        case withdraw
    }

    /// How many of the last ones can be rolled back to; nothing of them is collected as garbage.
    public static let keptCount = 20
    /// How many of the last ones are told of.
    public static let toldCount = 200

    /// Grows by one with each change; 0 is the empty list before the first.
    public var number: Int
    public var createdAt: Timestamp
    public var deed: Deed
    /// The generation whose list this is again, after a rollback.
    public var restored: Int?
    /// What is different from the generation before.
    public var changes: [PackageChange]
    public var packages: [LockedPackage]
    /// Whether one package that cannot be had keeps the whole list away.
    public var isAtomic: Bool
    /// Whether something of it could not be had; a rollback without a number passes over it.
    public var didFail: Bool

    public init(
        number: Int, createdAt: Timestamp, deed: Deed, restored: Int? = nil, changes: [PackageChange], packages: [LockedPackage],
        isAtomic: Bool = false, didFail: Bool = false
    ) {
        self.number = number
        self.createdAt = createdAt
        self.deed = deed
        self.restored = restored
        self.changes = changes
        self.packages = packages
        self.isAtomic = isAtomic
        self.didFail = didFail
    }

    /// Where a rollback without a number leads from here: rolling back again goes further back.
    /// - Parameter failed: those whose packages could not all be had.
    public func before(passing failed: Set<Int>) -> Int {
        var candidate = (restored ?? number) - 1
        while failed.contains(candidate) { candidate -= 1 }
        return Swift.max(0, candidate)
    }
}
