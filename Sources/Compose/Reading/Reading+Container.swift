import KilnModel

/// Keys that say how a container is set up.
extension Reading {
    /// - Returns: whether the key is one of them.
    func readContainerKey(_ key: YAMLNode.Entry, into settings: inout ServiceDraft.Settings) -> Bool {
        let node = key.value
        let what = "“\(key.key)”"
        switch key.key {
        case "user": settings.container.user = value(node, what, UserReference.init)
        case "group_add": settings.container.groups = itemsOrOne(node, what).compactMap { value($0, "A group", UserReference.init) }
        case "working_dir": settings.container.workingDirectory = value(node, what, workingDirectory)
        case "hostname": settings.container.hostname = value(node, what, HostName.init)
        case "labels": settings.container.labels.merge(labels(node)) { _, new in new }
        case "cap_add":
            settings.container.addedCapabilities = itemsOrOne(node, what).compactMap { value($0, "A capability", GrantableCapability.init) }
        case "cap_drop": settings.container.droppedCapabilities = itemsOrOne(node, what).compactMap { value($0, "A capability", Capability.init) }
        case "sysctls": settings.container.kernelSettings = kernelSettings(node)
        case "ulimits": settings.container.processLimits = processLimits(node)
        case "init": settings.container.hasInit = node.isNull ? nil : flag(node, what)
        case "stop_signal": settings.container.stopSignal = value(node, what, StopSignal.init)
        case "stop_grace_period": settings.container.stopGracePeriod = node.isNull ? nil : span(node, key.key, mayBeZero: true)
        case "shm_size": settings.container.sharedMemory = node.isNull ? nil : size(node, what)
        case "read_only": settings.container.isReadOnly = !node.isNull && flag(node, what) ?? false
        case "tty": settings.container.hasTerminal = !node.isNull && flag(node, what) ?? false
        case "stdin_open": settings.container.keepsInputOpen = !node.isNull && flag(node, what) ?? false
        case "extra_hosts": settings.container.hosts = hosts(node)
        case "security_opt":
            for option in itemsOrOne(node, what) { if confines(option) { settings.container.hasNoNewPrivileges = true } }
        case "pull_policy": settings.container.pullPolicy = pullPolicy(node)
        default: return false
        }
        return true
    }

    private func workingDirectory(_ text: String) throws(KilnError) -> ContainerPath {
        // The root is a place to work in, though none to mount at.
        guard text.split(separator: "/").allSatisfy({ $0 == "." }), text.hasPrefix("/") else { return try ContainerPath(text) }
        return try ContainerPath("/.")
    }

    func size(_ node: YAMLNode, _ what: String) -> Int? {
        guard let text = filledText(node, what) else { return nil }
        guard let bytes = ByteSize.bytes(text), bytes > 0 else {
            refuse(node.position, "“\(text.printable(limit: 40))” is not a size for \(what).", hint: "Write it like 64m, 1gb or 1048576.")
            return nil
        }
        return bytes
    }

    /// Texts of any kind by key; a key alone is empty.
    private func labels(_ node: YAMLNode) -> [String: String] {
        var labels: [String: String] = [:]
        func add(_ key: String, _ value: String?, at position: Position) {
            guard !key.isEmpty, key.utf8.count <= 256, !key.hasPrefix("kiln.") else {
                refuse(
                    position, "“\(key.printable(limit: 80))” is not a label for a service.", hint: "Labels that begin with “kiln.” are Kiln's own.")
                return
            }
            labels[key] = value ?? ""
        }
        switch node.content {
        case .mapping(let entries):
            for entry in entries { add(entry.key, entry.value.isNull ? "" : text(entry.value, "A label"), at: entry.position) }
        case .sequence(let items):
            for item in items {
                guard let text = filledText(item, "A label") else { continue }
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                add(parts[0], parts.count == 2 ? parts[1] : nil, at: item.position)
            }
        case .scalar, .template:
            if !node.isNull { refuse(node.position, "“labels” must be a map, or a list of KEY=VALUE.") }
        }
        return labels
    }

    /// A map, or a list of `KEY=VALUE`.
    private func kernelSettings(_ node: YAMLNode) -> [KernelSetting] {
        var list: [KernelSetting] = []
        for (key, value) in pairs(node, "“sysctls”", separators: "=") {
            guard let text = text(value, "The value of “\(key.printable(limit: 80))”") else { continue }
            do throws(KilnError) {
                list.append(try KernelSetting(key: key, value: text))
            } catch {
                refuse(value.position, error)
            }
        }
        return list.sorted { $0.key < $1.key }
    }

    private func hosts(_ node: YAMLNode) -> [HostEntry] {
        var list: [HostEntry] = []
        for (name, value) in pairs(node, "“extra_hosts”", separators: "=:") {
            for address in itemsOrOne(value, "“extra_hosts”") {
                guard var text = filledText(address, "An address in “extra_hosts”") else { continue }
                guard text != "host-gateway" else {
                    refuse(address.position, "“host-gateway” is the host, which is out of reach of a service.", hint: "Remove it.")
                    continue
                }
                if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
                do throws(KilnError) {
                    list.append(HostEntry(name: try HostName(name), address: try HostAddress(text)))
                } catch {
                    refuse(address.position, error)
                }
            }
        }
        // Several addresses of one name keep their order.
        return list.enumerated().sorted { ($0.element.name.value, $0.offset) < ($1.element.name.value, $1.offset) }.map(\.element)
    }

    /// Keys with values of a map, or of a list of texts that are cut at the first of `separators`.
    private func pairs(_ node: YAMLNode, _ what: String, separators: String) -> [(key: String, value: YAMLNode)] {
        func cut(_ text: String, at position: Position) -> (String, YAMLNode)? {
            guard let cut = text.firstIndex(where: separators.contains) else {
                refuse(position, "“\(text.printable(limit: 80))” in \(what) is not a name and a value.", hint: "Write NAME=VALUE.")
                return nil
            }
            return (String(text[..<cut]), .text(String(text[text.index(after: cut)...]), at: position))
        }
        switch node.content {
        case .mapping(let entries):
            // A key without a value was an entry of a list before files were merged.
            return entries.compactMap { $0.value.isNull ? cut($0.key, at: $0.position) : ($0.key, $0.value) }
        case .sequence(let items):
            return items.compactMap { item in filledText(item, "An entry of \(what)").flatMap { cut($0, at: item.position) } }
        case .scalar, .template:
            if !node.isNull { refuse(node.position, "\(what) must be a map or a list.") }
            return []
        }
    }

    private func processLimits(_ node: YAMLNode) -> [ProcessLimit] {
        guard !node.isNull, let entries = entries(node, "“ulimits”") else { return [] }
        return entries.compactMap { entry in
            guard let kind = ProcessLimit.Kind(rawValue: entry.key) else {
                let names = ProcessLimit.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                refuse(entry.position, "“\(entry.key.printable(limit: 40))” is not a limit of processes.", hint: "Known: \(names).")
                return nil
            }
            guard case .mapping(let bounds) = entry.value.content else {
                return limit(entry.value).map { ProcessLimit(kind: kind, soft: $0.bound, hard: $0.bound) }
            }
            for bound in bounds where bound.key != "soft" && bound.key != "hard" { refuseUnknown(bound, in: "a limit", among: .limitRange) }
            let soft = entry.value["soft"].flatMap { limit($0.value) }
            let hard = entry.value["hard"].flatMap { limit($0.value) }
            guard let soft, let hard else {
                if entry.value["soft"] == nil || entry.value["hard"] == nil {
                    refuse(entry.position, "The limit “\(entry.key)” lacks its “soft” or “hard”.", hint: "Write one number, or {soft: …, hard: …}.")
                }
                return nil
            }
            if let low = soft.bound, let high = hard.bound, low > high {
                refuse(entry.position, "The soft limit “\(entry.key)” is above the hard one.")
            }
            return ProcessLimit(kind: kind, soft: soft.bound, hard: hard.bound)
        }
    }

    /// -1 is without bound.
    private func limit(_ node: YAMLNode) -> (bound: Int?, Void)? {
        guard let text = filledText(node, "A limit") else { return nil }
        if text == "-1" || text == "unlimited" { return (nil, ()) }
        guard let number = Int(text), number >= 0, number < 1 << 53 else {
            refuse(node.position, "“\(text.printable(limit: 40))” is not a limit.", hint: "Use a whole number, or -1 for none.")
            return nil
        }
        return (number, ())
    }

    private func pullPolicy(_ node: YAMLNode) -> ContainerSettings.PullPolicy? {
        guard !node.isNull, let text = filledText(node, "“pull_policy”") else { return nil }
        switch text {
        case "always": return .always
        case "never": return .never
        case "missing", "if_not_present": return .missing
        case "build", "daily", "weekly":
            warn(
                node.position,
                "The pull policy “\(text.printable(limit: 40))” counts as “missing”: images are fetched, and built, when they are missing.")
            return .missing
        default:
            refuse(node.position, "“\(text.printable(limit: 40))” is not a pull policy.", hint: "Use always, missing or never.")
            return nil
        }
    }

    /// Keys that are harmless with some values and out of the question with others.
    /// - Returns: whether the key is one of them; what is wrong with it was said.
    func isHarmless(_ key: YAMLNode.Entry) -> Bool {
        let namespace = "every service has namespaces of its own."
        let allowed: [String]
        let why: String
        switch key.key {
        case "privileged": (allowed, why) = (["false", "no", "off"], "it would give the service the host's root.")
        case "pid", "uts": (allowed, why) = ([], namespace)
        case "ipc": (allowed, why) = (["private", "shareable"], namespace)
        case "cgroup": (allowed, why) = (["private"], namespace)
        case "userns_mode": (allowed, why) = (["auto", "private"], namespace)
        case "network_mode":
            allowed = ["bridge", "default"]
            why = "every service has a network namespace of its own, in which the environment's names and addresses hold."
        default: return false
        }
        guard !key.value.isNull, let text = filledText(key.value, "“\(key.key)”"), !allowed.contains(text.lowercased()) else { return true }
        refuse(key.position, "“\(key.key): \(text.printable(limit: 40))” is not supported: \(why)", hint: "Remove it.")
        return true
    }

    /// - Returns: whether the option takes a way to more rights away.
    private func confines(_ option: YAMLNode) -> Bool {
        guard let text = filledText(option, "A security option") else { return false }
        switch text {
        case "no-new-privileges", "no-new-privileges:true", "no-new-privileges=true": return true
        case "no-new-privileges:false", "no-new-privileges=false": return false
        case _ where text.hasPrefix("label"): warn(option.position, "“\(text.printable(limit: 40))” has no effect: Kiln uses no SELinux labels.")
        default:
            refuse(
                option.position, "The security option “\(text.printable(limit: 40))” is not supported: how services are confined is fixed.",
                hint: "Remove it.")
        }
        return false
    }
}
