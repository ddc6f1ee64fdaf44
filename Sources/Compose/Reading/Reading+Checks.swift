import KilnModel

/// What can be wrong between services that are right each by itself.
extension Reading {
    func check(_ drafts: [ServiceDraft], volumes: Set<VolumeName>) {
        let names = Set(drafts.map(\.name))
        for draft in drafts {
            for use in draft.settings.volumes where !volumes.contains(use.mount.volume) {
                let message = "The volume “\(use.mount.volume)” of service “\(draft.name)” is not defined."
                refuse(use.position, message, hint: "Add “\(use.mount.volume):” under “volumes:” at the top level.")
            }
            for use in draft.settings.dependencies where !names.contains(use.dependency.service) {
                let missing = use.dependency.service
                let nearest = nearest(to: missing.value, among: names.map(\.value).sorted())
                let hint = nearest.map { "Did you mean “\($0)”?" } ?? "Describe it under “services:”, or remove the dependency."
                refuse(use.position, "Service “\(draft.name)” depends on “\(missing)”, which the file does not describe.", hint: hint)
            }
        }
        refuseCycles(in: drafts)
    }

    /// Walks the dependencies depth first; an edge back into the path walked closes a cycle.
    private func refuseCycles(in drafts: [ServiceDraft]) {
        let uses = Dictionary(drafts.map { ($0.name, $0.settings.dependencies) }) { first, _ in first }
        var finished: Set<Name> = []
        var cycles = 0
        for start in drafts.map(\.name) where !finished.contains(start) {
            // An explicit stack: a chain of dependencies may be as long as the file.
            var path: [(name: Name, next: Int)] = [(start, 0)]
            var onPath: Set<Name> = [start]
            while let (name, next) = path.last {
                guard let edges = uses[name], next < edges.count else {
                    finished.insert(name)
                    onPath.remove(name)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let target = edges[next].dependency.service
                if onPath.contains(target) {
                    let cycle = path.map(\.name).drop { $0 != target } + [target]
                    let names = cycle.map(\.value).joined(separator: " → ")
                    let message = "The services depend on each other in a circle: \(names)."
                    refuse(edges[next].position, message, hint: "Remove one of these dependencies.")
                    cycles += 1
                    // The first ones say it; in a dense graph there is no end of them.
                    if cycles == 10 { return }
                } else if !finished.contains(target) {
                    path.append((target, 0))
                    onPath.insert(target)
                }
            }
        }
    }
}
