/// One term of a relation between packages: `NAME[:ARCH] [(OP VERSION)]` (Debian Policy 7.1).
struct DebianRelation: Sendable, Hashable, CustomStringConvertible {
    enum Operator: String, Sendable { case earlier = "<<", upTo = "<=", exactly = "=", from = ">=", later = ">>" }

    struct Constraint: Sendable, Hashable {
        var relation: Operator
        var version: DebianVersion

        func allows(_ other: DebianVersion) -> Bool {
            switch relation {
            case .earlier: other < version
            case .upTo: other <= version
            case .exactly: other == version
            case .from: other >= version
            case .later: other > version
            }
        }
    }

    var name: String
    var constraint: Constraint?

    init(name: String, constraint: Constraint? = nil) {
        self.name = name
        self.constraint = constraint
    }

    /// nil for a text that is none.
    init?(_ text: some StringProtocol) {
        let words = text.split { $0 == " " || $0 == "(" || $0 == ")" }
        guard let first = words.first else { return nil }
        name = String(first.prefix { $0 != ":" })
        guard words.count >= 2, !words[1].hasPrefix("[") else { return }
        guard words.count >= 3, let relation = Operator(rawValue: String(words[1])) else { return nil }
        constraint = Constraint(relation: relation, version: DebianVersion(String(words[2])))
    }

    var description: String { constraint.map { "\(name) (\($0.relation.rawValue) \($0.version.text))" } ?? name }

    /// A field such as Depends: all of the groups must be met, each by one of its terms.
    static func groups(_ field: some StringProtocol) -> [[DebianRelation]] {
        field.split(separator: ",").map { group in group.split(separator: "|").compactMap { DebianRelation($0) } }.filter { !$0.isEmpty }
    }
}
