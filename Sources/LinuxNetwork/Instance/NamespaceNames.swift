import KilnModel

/// What the namespaces and interfaces of an instance are called. Pure.
struct NamespaceNames: Sendable {
    enum Owner: Hashable, Sendable {
        case router, build
        case workspace(ResourceID)
        case environment(ResourceID)
        case service(environment: ResourceID, index: Int)
    }

    let prefix: String

    init(_ instance: Instance) { prefix = instance.prefix }

    func namespace(of owner: Owner) -> NetworkNamespace {
        switch owner {
        case .router: NetworkNamespace("\(prefix)-router")
        case .build: NetworkNamespace("\(prefix)-build")
        case .workspace(let id): NetworkNamespace("\(prefix)-w-\(id)")
        case .environment(let id): NetworkNamespace("\(prefix)-e-\(id)")
        case .service(let environment, let index): NetworkNamespace("\(prefix)-s-\(environment)-\(index)")
        }
    }

    /// Whose a namespace is; nil for a name that is not this instance's. Strict, since one instance's prefix may begin another's names.
    func owner(of name: String) -> Owner? {
        guard name.hasPrefix("\(prefix)-") else { return nil }
        let parts = name.dropFirst(prefix.utf8.count + 1).split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        let owner: Owner? =
            switch (parts.first, parts.count) {
            case ("router", 1): .router
            case ("build", 1): .build
            case ("w", 2): (try? ResourceID(parts[1])).map { .workspace($0) }
            case ("e", 2): (try? ResourceID(parts[1])).map { .environment($0) }
            case ("s", 3): (try? ResourceID(parts[1])).flatMap { id in Int(parts[2]).map { .service(environment: id, index: $0) } }
            default: nil
            }
        // Only the one spelling: "s-…-07" is nobody's.
        return owner.flatMap { namespace(of: $0).name == name ? $0 : nil }
    }

    /// The far end of an owner's veth, in the namespace that routes for it; its first letter is what rulesets go by.
    static func interface(of owner: Owner) -> String {
        switch owner {
        case .router: "up0"
        case .build: "wbuild"
        case .workspace(let id): "w\(id)"
        case .environment(let id): "e\(id)"
        case .service(_, let index): "s\(index)"
        }
    }

    /// What a veth's alias says.
    static func alias(of owner: Owner) -> String {
        switch owner {
        case .router: "router"
        case .build: "build"
        case .workspace(let id): "workspace \(id)"
        case .environment(let id): "environment \(id)"
        case .service(let environment, let index): "service \(index) of \(environment)"
        }
    }
}
