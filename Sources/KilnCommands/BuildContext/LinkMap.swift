/// Where a context's symbolic links lead. Pure.
struct LinkMap {
    private var targets: [String: String] = [:]

    init(_ items: [ContextTree.Item]) {
        for item in items {
            if case .link(let target) = item.kind { targets[item.path] = target }
        }
    }

    /// Whether following the link at `path` stays within the context, links on the way included. Absolute targets and loops do not.
    func staysInside(_ path: String) -> Bool {
        guard let target = targets[path] else { return true }
        var folder = path.split(separator: "/").dropLast().map(String.init)
        var depth = 0
        return follow(target, from: &folder, depth: &depth)
    }

    /// Goes through `target` component by component, as the kernel would.
    private func follow(_ target: String, from place: inout [String], depth: inout Int) -> Bool {
        depth += 1
        // The kernel gives up after 40 links (path_resolution(7)).
        guard !target.hasPrefix("/"), depth <= 40 else { return false }
        for part in target.split(separator: "/") where part != "." {
            if part == ".." {
                guard place.popLast() != nil else { return false }
                continue
            }
            place.append(String(part))
            guard let next = targets[place.joined(separator: "/")] else { continue }
            place.removeLast()
            guard follow(next, from: &place, depth: &depth) else { return false }
        }
        return true
    }
}
