import KilnModel

/// Networks: an environment has one, so that what counts of them is the names they give to services.
extension Reading {
    /// The top-level `networks`: their names.
    func networkNames(_ node: YAMLNode) -> Set<String> {
        guard !node.isNull, let entries = entries(node, "“networks”") else { return [] }
        var names: Set<String> = []
        for entry in entries where !entry.key.hasPrefix("x-") {
            names.insert(entry.key)
            guard !entry.value.isNull else { continue }
            let place = "the network “\(entry.key.printable(limit: 80))”"
            for option in self.entries(entry.value, "The network “\(entry.key.printable(limit: 80))”") ?? [] where !isUsual(option) {
                refuseUnknown(option, in: place, among: .network)
            }
        }
        return names
    }

    private func isUsual(_ option: YAMLNode.Entry) -> Bool {
        KnownKeys.network.supported.contains(option.key) || (option.key == "driver" && ["bridge", "default"].contains(option.value.plainText))
    }

    /// A service's `networks`: a list of names, or a map of names to what is said of each.
    func attachments(_ node: YAMLNode, before: [HostName]) -> (networks: [(name: String, position: Position)], aliases: [HostName]) {
        var networks: [(String, Position)] = []
        var aliases = before
        switch node.content {
        case .sequence(let items):
            for item in items { if let name = filledText(item, "A network") { networks.append((name, item.position)) } }
        case .mapping(let entries):
            for entry in entries where !entry.key.hasPrefix("x-") {
                networks.append((entry.key, entry.position))
                guard !entry.value.isNull else { continue }
                for option in self.entries(entry.value, "The network “\(entry.key.printable(limit: 80))”") ?? [] {
                    guard option.key == "aliases" else {
                        refuseUnknown(option, in: "the network “\(entry.key.printable(limit: 80))” of a service", among: .attachment)
                        continue
                    }
                    guard !option.value.isNull else { continue }
                    aliases += (items(option.value, "“aliases”") ?? []).compactMap { value($0, "An alias", HostName.init) }
                }
            }
        case .scalar, .template:
            if !node.isNull { refuse(node.position, "“networks” must be a list or a map.") }
        }
        return (networks, aliases)
    }

    /// `links`: `SERVICE` or `SERVICE:ALIAS`. In one flat network the alias is known to all.
    func links(_ node: YAMLNode) -> [ServiceDraft.Link] {
        itemsOrOne(node, "“links”").compactMap { item in
            guard let text = filledText(item, "A link") else { return nil }
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            do throws(KilnError) {
                let service = try Name(parts[0])
                return ServiceDraft.Link(service: service, alias: try HostName(parts.count == 2 ? parts[1] : parts[0]), position: item.position)
            } catch {
                refuse(item.position, error)
                return nil
            }
        }
    }
}
