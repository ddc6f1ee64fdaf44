import KilnModel

/// What can be wrong between services that are right each by itself.
extension Reading {
    func check(_ project: inout ComposeProject, volumes: Set<VolumeName>, networks: Set<String>) {
        let names = Set(project.drafts.map(\.name))
        let configs = Set(project.configs.map(\.name))
        let secrets = Set(project.secrets.map(\.name.value))
        for index in project.drafts.indices {
            let draft = project.drafts[index]
            for mount in draft.settings.mounts {
                guard case .volume(let volume) = mount.source, !volumes.contains(volume) else { continue }
                let message = "The volume “\(volume)” of service “\(draft.name)” is not defined."
                refuse(mount.position, message, hint: "Add “\(volume):” under “volumes:” at the top level.")
            }
            for network in draft.settings.networks where network.name != "default" && !networks.contains(network.name) {
                let message = "The network “\(network.name.printable(limit: 80))” of service “\(draft.name)” is not defined."
                refuse(network.position, message, hint: "Add it under “networks:” at the top level, or remove it here.")
            }
            for grant in draft.settings.configs where !configs.contains(grant.name) {
                refuse(
                    grant.position, "The config “\(grant.name.printable(limit: 80))” of service “\(draft.name)” is not defined.",
                    hint: "Add it under “configs:” at the top level.")
            }
            for grant in draft.settings.secrets where !secrets.contains(grant.name) {
                refuse(
                    grant.position, "The secret “\(grant.name.printable(limit: 80))” of service “\(draft.name)” is not defined.",
                    hint: "Add it under “secrets:” at the top level.")
            }
            project.drafts[index].settings.dependencies = known(draft, names)
        }
        link(&project.drafts)
        refuseCycles(in: project.drafts)
    }

    /// The dependencies that there are; those that may be missing go without a word.
    private func known(_ draft: ServiceDraft, _ names: Set<Name>) -> [ServiceDraft.DependencyUse] {
        var uses = draft.settings.dependencies
        for link in draft.settings.links where !uses.contains(where: { $0.dependency.service == link.service }) {
            uses.append(.init(dependency: .init(service: link.service, condition: .started, restart: true), position: link.position))
        }
        return uses.filter { use in
            let missing = use.dependency.service
            guard !names.contains(missing) else { return true }
            guard use.dependency.required else { return false }
            let isInactive = inactive.contains(missing)
            let nearest = nearest(to: missing.value, among: names.map(\.value).sorted())
            let hint = nearest.map { "Did you mean “\($0)”?" } ?? "Describe it under “services:”, or remove the dependency."
            refuse(
                use.position,
                isInactive
                    ? "Service “\(draft.name)” depends on “\(missing)”, which is in a profile that was not asked for."
                    : "Service “\(draft.name)” depends on “\(missing)”, which the file does not describe.",
                hint: isInactive ? "Add --profile, or write required: false." : hint)
            return true
        }
    }

    /// Gives linked services the names by which others link to them, and refuses names that two services have.
    private func link(_ drafts: inout [ServiceDraft]) {
        var aliases: [Name: [HostName]] = [:]
        for draft in drafts {
            for link in draft.settings.links { aliases[link.service, default: []].append(link.alias) }
        }
        let names = Set(drafts.map(\.name.value))
        for index in drafts.indices {
            var seen: Set<String> = [drafts[index].name.value]
            drafts[index].settings.aliases = (drafts[index].settings.aliases + (aliases[drafts[index].name] ?? [])).filter {
                seen.insert($0.value.lowercased()).inserted
            }.sorted { $0.value < $1.value }
            for alias in drafts[index].settings.aliases where names.contains(alias.value.lowercased()) {
                refuse(
                    drafts[index].position, "“\(alias)” is an alias of service “\(drafts[index].name)”, and another service's name.",
                    hint: "Choose another alias.")
            }
        }
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
