import KilnModel

extension Reading {
    /// A service's `volumes`: named ones only.
    func volumeMounts(_ node: YAMLNode) -> [ServiceDraft.VolumeUse] {
        guard !node.isNull, let items = items(node, "“volumes”") else { return [] }
        var mounts: [ServiceDraft.VolumeUse] = []
        var paths: Set<[Substring]> = []
        for item in items {
            let mount: Service.VolumeMount?
            if case .mapping(let entries) = item.content {
                mount = longMount(entries, at: item.position)
            } else {
                mount = filledText(item, "A volume").flatMap { shortMount($0, at: item.position) }
            }
            guard let mount else { continue }
            guard paths.insert(mount.path.split(separator: "/")).inserted else {
                refuse(item.position, "Two volumes are mounted at “\(mount.path.printable(limit: 80))”.", hint: "Remove one of them.")
                continue
            }
            mounts.append(ServiceDraft.VolumeUse(mount: mount, position: item.position))
        }
        return mounts
    }

    private static let bindReason = "An environment's services do not see the files of a machine: only named volumes can be mounted."
    private static let bindHint = "Use a named volume, or copy the files into an image with “build”."
    private static let mountHint = "Write NAME:/PATH or NAME:/PATH:ro, with NAME under “volumes:” at the top level."

    /// `NAME:/PATH[:OPTIONS]`
    private func shortMount(_ text: String, at position: Position) -> Service.VolumeMount? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts[0].hasPrefix("/") || parts[0].hasPrefix(".") || parts[0].hasPrefix("~") {
            if parts.count == 1 {
                let message = "“\(text.printable(limit: 80))” is a volume without a name: it would be lost with its container."
                refuse(position, message, hint: Self.mountHint)
            } else {
                refuse(position, "“\(text.printable(limit: 80))” mounts a path of the host. \(Self.bindReason)", hint: Self.bindHint)
            }
            return nil
        }
        guard parts.count == 2 || parts.count == 3 else {
            refuse(position, "“\(text.printable(limit: 80))” is not a volume and a path.", hint: Self.mountHint)
            return nil
        }
        var readOnly = false
        for option in parts.count == 3 ? parts[2].split(separator: ",", omittingEmptySubsequences: false) : [] {
            switch option {
            case "ro": readOnly = true
            case "rw": readOnly = false
            default:
                refuse(position, "The option “\(String(option).printable(limit: 40))” of a volume is not supported.", hint: "Use ro or rw, or none.")
                return nil
            }
        }
        return mount(parts[0], parts[1], readOnly: readOnly, at: position)
    }

    private func longMount(_ entries: [YAMLNode.Entry], at position: Position) -> Service.VolumeMount? {
        var source: String?
        var target: String?
        var readOnly = false
        var isVolume = true
        for entry in entries {
            switch entry.key {
            case "type":
                guard let type = filledText(entry.value, "“type”"), type != "volume" else { continue }
                isVolume = false
                refuse(
                    entry.value.position, "A mount of type “\(type.printable(limit: 40))” is not supported. \(Self.bindReason)", hint: Self.bindHint)
            case "source": source = filledText(entry.value, "“source”")
            case "target": target = filledText(entry.value, "“target”")
            case "read_only": readOnly = flag(entry.value, "“read_only”") ?? false
            default: refuseUnknown(entry, in: "a volume", among: .volumeMount)
            }
        }
        guard isVolume else { return nil }
        let given = Set(entries.map(\.key))
        for key in ["type", "source", "target"] where !given.contains(key) {
            refuse(position, "The volume lacks its “\(key)”.", hint: "Write {type: volume, source: NAME, target: /PATH}.")
        }
        guard let source, let target else { return nil }
        return mount(source, target, readOnly: readOnly, at: position)
    }

    private func mount(_ source: String, _ path: String, readOnly: Bool, at position: Position) -> Service.VolumeMount? {
        let isPlain = path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        let components = path.split(separator: "/")
        guard path.hasPrefix("/"), isPlain, !components.isEmpty, !components.contains(".."), path.utf8.count <= 4096 else {
            refuse(position, "“\(path.printable(limit: 80))” is not a path to mount at.", hint: "Use an absolute path other than /, without “..”.")
            return nil
        }
        do throws(KilnError) {
            return Service.VolumeMount(volume: try VolumeName(source), path: path, readOnly: readOnly)
        } catch {
            refuse(position, error)
            return nil
        }
    }
}
