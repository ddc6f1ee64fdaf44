import KilnModel

extension Reading {
    /// A service's `volumes`: volumes with and without a name, files and folders of the project, memory.
    func mounts(_ node: YAMLNode) -> [ServiceDraft.Mount] {
        guard !node.isNull, let items = items(node, "“volumes”") else { return [] }
        return items.compactMap { item in
            if case .mapping(let entries) = item.content { return longMount(entries, at: item.position) }
            return filledText(item, "A volume").flatMap { shortMount($0, at: item.position) }
        }
    }

    /// `tmpfs`: paths with options.
    func memoryMounts(_ node: YAMLNode) -> [ServiceDraft.Mount] {
        itemsOrOne(node, "“tmpfs”").compactMap { item in
            guard let text = filledText(item, "A path in “tmpfs”") else { return nil }
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let path = path(parts[0], at: item.position) else { return nil }
            var (size, mode): (Int?, Int?)
            for option in parts.count == 2 ? parts[1].split(separator: ",") : [] {
                let pair = option.split(separator: "=", maxSplits: 1).map(String.init)
                let value = YAMLNode.text(pair.count == 2 ? pair[1] : "", at: item.position)
                switch pair[0] {
                case "size": size = self.size(value, "“tmpfs”")
                case "mode": mode = self.mode(.text("0" + (value.plainText ?? ""), at: item.position))
                case "rw", "noexec", "nosuid", "nodev", "exec", "noatime", "uid", "gid", "nr_inodes": break
                default:
                    refuse(item.position, "The option “\(pair[0].printable(limit: 40))” of a tmpfs is not supported.", hint: "Use size= and mode=.")
                }
            }
            return .init(source: .memory(size: size, mode: mode), path: path, readOnly: false, position: item.position)
        }
    }

    private static let mountHint = "Write NAME:/PATH or ./FOLDER:/PATH, with :ro behind it if it is only read."
    /// Of a mount that is a copy or a volume of ours anyway.
    private static let idleOptions: Set<Substring> = [
        "z", "Z", "cached", "delegated", "consistent", "rshared", "rslave", "rprivate", "shared", "slave", "private",
    ]

    /// `[SOURCE:]/PATH[:OPTIONS]`
    private func shortMount(_ text: String, at position: Position) -> ServiceDraft.Mount? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 3, !parts.contains("") else {
            refuse(position, "“\(text.printable(limit: 80))” is not a volume and a path.", hint: Self.mountHint)
            return nil
        }
        guard parts.count > 1 else {
            guard text.hasPrefix("/") else {
                refuse(position, "“\(text.printable(limit: 80))” is not a volume and a path.", hint: Self.mountHint)
                return nil
            }
            return path(text, at: position).map { .init(source: .anonymous, path: $0, readOnly: false, position: position) }
        }
        var (readOnly, isEmpty) = (false, false)
        for option in parts.count == 3 ? parts[2].split(separator: ",", omittingEmptySubsequences: false) : [] {
            switch option {
            case "ro": readOnly = true
            case "rw": readOnly = false
            case "nocopy": isEmpty = true
            case _ where Self.idleOptions.contains(option): break
            default:
                refuse(position, "The option “\(String(option).printable(limit: 40))” of a volume is not supported.", hint: "Use ro or rw, or none.")
                return nil
            }
        }
        let isPath = parts[0].hasPrefix("/") || parts[0].hasPrefix(".") || parts[0].hasPrefix("~")
        guard
            let source = isPath ? copy(parts[0], mayBeMissing: true, at: position) : volume(parts[0], at: position),
            let path = path(parts[1], at: position)
        else { return nil }
        return .init(source: source, path: path, readOnly: readOnly, position: position, isEmpty: isEmpty)
    }

    private func volume(_ name: String, at position: Position) -> ServiceDraft.Mount.Source? {
        do throws(KilnError) {
            return .volume(try VolumeName(name))
        } catch {
            refuse(position, error)
            return nil
        }
    }

    /// A file or folder of the project, which travels along.
    private func copy(_ written: String, mayBeMissing: Bool, at position: Position) -> ServiceDraft.Mount.Source? {
        let path = projectPath(written, from: position.source)
        if ["/var/run/docker.sock", "/run/docker.sock"].contains(ProjectPath.normal(path)) {
            refuse(
                position, "“\(path)” is the host's container engine; who reaches it is the host's root.",
                hint: "Remove it. Services cannot steer containers.")
            return nil
        }
        return isInside(path, position) ? .copy(path: path, mayBeMissing: mayBeMissing) : nil
    }

    private func longMount(_ entries: [YAMLNode.Entry], at position: Position) -> ServiceDraft.Mount? {
        var (type, source, target): (String?, String?, ContainerPath?)
        var (size, mode): (Int?, Int?)
        var (readOnly, isEmpty) = (false, false)
        // Compose makes a missing folder for the short form only, unless it is told otherwise.
        var mayBeMissing = false
        var place = position
        for entry in entries where !entry.value.isNull {
            switch entry.key {
            case "type": type = filledText(entry.value, "“type”")
            case "source":
                source = filledText(entry.value, "“source”")
                place = entry.value.position
            case "target": target = filledText(entry.value, "“target”").flatMap { path($0, at: entry.value.position) }
            case "read_only": readOnly = flag(entry.value, "“read_only”") ?? false
            case "tmpfs":
                for option in self.entries(entry.value, "“tmpfs”") ?? [] {
                    switch option.key {
                    case "size": size = self.size(option.value, "“size”")
                    case "mode": mode = self.mode(option.value)
                    default: refuseUnknown(option, in: "a tmpfs", among: .memoryOptions)
                    }
                }
            case "bind":
                for option in self.entries(entry.value, "“bind”") ?? [] {
                    if option.key == "create_host_path" {
                        mayBeMissing = flag(option.value, "“create_host_path”") ?? false
                    } else {
                        refuseUnknown(option, in: "“bind”", among: .bindOptions)
                    }
                }
            case "volume":
                for option in self.entries(entry.value, "“volume”") ?? [] {
                    if option.key == "nocopy" {
                        isEmpty = flag(option.value, "“nocopy”") ?? false
                    } else {
                        refuseUnknown(option, in: "“volume”", among: .volumeOptions)
                    }
                }
            default: refuseUnknown(entry, in: "a volume", among: .mount)
            }
        }
        let given = Set(entries.map(\.key))
        for key in ["type", "target"] where !given.contains(key) {
            refuse(position, "The volume lacks its “\(key)”.", hint: "Write {type: volume, source: NAME, target: /PATH}.")
        }
        guard let type, let target else { return nil }
        let what: ServiceDraft.Mount.Source?
        switch type {
        case "volume": what = source.map { volume($0, at: place) } ?? .anonymous
        case "bind":
            if source == nil, !given.contains("source") {
                refuse(position, "The volume lacks its “source”.", hint: "Write {type: bind, source: ./FOLDER, target: /PATH}.")
            }
            what = source.flatMap { copy($0, mayBeMissing: mayBeMissing, at: place) }
        case "tmpfs": what = .memory(size: size, mode: mode)
        default:
            refuse(position, "A mount of type “\(type.printable(limit: 40))” is not supported.", hint: "Use volume, bind or tmpfs.")
            return nil
        }
        return what.map { .init(source: $0, path: target, readOnly: readOnly, position: position, isEmpty: isEmpty) }
    }

    /// Two things cannot lie at one place.
    func refuseDoubledTargets(_ settings: ServiceDraft.Settings) {
        var places: [[Substring]: Position] = [:]
        let all =
            settings.mounts.map { ($0.path, $0.position) } + settings.configs.map { ($0.path, $0.position) }
            + settings.secrets.map { ($0.path, $0.position) }
        for (path, position) in all {
            if let first = places[path.components] {
                refuse(
                    position, "Two volumes are mounted at “\(path.value.printable(limit: 80))”; the first is on line \(first.line).",
                    hint: "Remove one of them.")
            } else {
                places[path.components] = position
            }
        }
    }

    /// The top-level `volumes`: their names.
    func volumeNames(_ node: YAMLNode) -> Set<VolumeName> {
        guard !node.isNull, let entries = entries(node, "“volumes”") else { return [] }
        var names: Set<VolumeName> = []
        for entry in entries where !entry.key.hasPrefix("x-") {
            do throws(KilnError) {
                names.insert(try VolumeName(entry.key))
            } catch {
                refuse(entry.position, error)
            }
            if entry.value.isNull { continue }
            let place = "the volume “\(entry.key.printable(limit: 80))”"
            for option in self.entries(entry.value, "The volume “\(entry.key.printable(limit: 80))”") ?? [] {
                guard option.key == "driver" else {
                    refuseUnknown(option, in: place, among: .volume)
                    continue
                }
                guard !option.value.isNull, let driver = filledText(option.value, "“driver”"), !["local", "default"].contains(driver) else {
                    continue
                }
                refuse(
                    option.position,
                    "“driver: \(driver.printable(limit: 40))” in \(place) is not supported: a volume lies where the environment's data lie.",
                    hint: "Remove it.")
            }
        }
        return names
    }
}
