import KilnModel

/// What a service may use and how many there are of it, in the old place and in `deploy`.
extension Reading {
    private static let maximumReplicas = AddressPlan.maximumReplicas

    /// - Returns: whether the key is one of them.
    func readLimit(_ key: YAMLNode.Entry, into settings: inout ServiceDraft.Settings) -> Bool {
        guard !key.value.isNull || key.key == "deploy" else { return ["cpus", "mem_limit", "pids_limit", "scale"].contains(key.key) }
        switch key.key {
        case "cpus": set(cpus(key.value), \.container.limits.milliCPUs, of: key, in: &settings)
        case "mem_limit": set(size(key.value, "“mem_limit”"), \.container.limits.memory, of: key, in: &settings)
        case "pids_limit": set(processes(key.value), \.container.limits.pids, of: key, in: &settings)
        case "scale": set(replicas(key.value), \.replicas, of: key, in: &settings)
        case "deploy": readDeploy(key.value, into: &settings)
        default: return false
        }
        return true
    }

    private func readDeploy(_ node: YAMLNode, into settings: inout ServiceDraft.Settings) {
        guard !node.isNull, let entries = entries(node, "“deploy”") else { return }
        for entry in entries {
            switch entry.key {
            case "replicas" where !entry.value.isNull: set(replicas(entry.value), \.replicas, of: entry, in: &settings)
            case "replicas": break
            case "resources": readResources(entry.value, into: &settings)
            case "restart_policy": if let policy = deployedPolicy(entry.value) { settings.restart = policy }
            default: refuseUnknown(entry, in: "“deploy”", among: .deploy)
            }
        }
    }

    private func readResources(_ node: YAMLNode, into settings: inout ServiceDraft.Settings) {
        guard !node.isNull, let entries = entries(node, "“resources”") else { return }
        for entry in entries {
            guard entry.key == "limits" else {
                refuseUnknown(entry, in: "“resources”", among: .resources)
                continue
            }
            guard !entry.value.isNull else { continue }
            for limit in self.entries(entry.value, "“limits”") ?? [] where !limit.value.isNull {
                switch limit.key {
                case "cpus": set(cpus(limit.value), \.container.limits.milliCPUs, of: limit, in: &settings)
                case "memory": set(size(limit.value, "“memory”"), \.container.limits.memory, of: limit, in: &settings)
                case "pids": set(processes(limit.value), \.container.limits.pids, of: limit, in: &settings)
                default: refuseUnknown(limit, in: "“limits”", among: .limits)
                }
            }
        }
    }

    /// Sets what may be said in two places, unless they disagree.
    private func set(
        _ value: Int?, _ place: WritableKeyPath<ServiceDraft.Settings, Int?>, of key: YAMLNode.Entry, in settings: inout ServiceDraft.Settings
    ) {
        guard let value else { return }
        if let other = settings[keyPath: place], other != value {
            refuse(key.position, "“\(key.key)” says something else than the same limit elsewhere in this service.", hint: "Remove one of them.")
        }
        settings[keyPath: place] = value
    }

    private func cpus(_ node: YAMLNode) -> Int? {
        guard let text = filledText(node, "“cpus”") else { return nil }
        let isNumber = text.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
        guard isNumber, let number = Double(text), number <= 4096 else {
            refuse(node.position, "“\(text.printable(limit: 40))” is not a number of CPUs.", hint: "Write it like 2 or 0.5.")
            return nil
        }
        // 0 is without limit.
        return number == 0 ? nil : max(1, Int((number * 1000).rounded()))
    }

    private func processes(_ node: YAMLNode) -> Int? {
        guard let text = filledText(node, "The number of processes") else { return nil }
        if text == "-1" || text == "0" { return nil }
        guard let number = Self.number(text) else {
            refuse(node.position, "“\(text.printable(limit: 40))” is not a number of processes.", hint: "Use a whole number.")
            return nil
        }
        return number
    }

    private func replicas(_ node: YAMLNode) -> Int? {
        guard let text = filledText(node, "The number of replicas") else { return nil }
        guard let number = Self.number(text), number <= Self.maximumReplicas else {
            refuse(node.position, "“\(text.printable(limit: 40))” is not a number of replicas.", hint: "Use 0 to \(Self.maximumReplicas).")
            return nil
        }
        return number
    }

    private func deployedPolicy(_ node: YAMLNode) -> Service.RestartPolicy? {
        guard !node.isNull, let entries = entries(node, "“restart_policy”") else { return nil }
        var condition = "any"
        var attempts: Int?
        for entry in entries {
            switch entry.key {
            case "condition": condition = filledText(entry.value, "“condition”") ?? condition
            case "max_attempts": attempts = filledText(entry.value, "“max_attempts”").flatMap(Self.number).flatMap { $0 > 0 ? $0 : nil }
            default: refuseUnknown(entry, in: "“restart_policy”", among: .restartPolicy)
            }
        }
        switch condition {
        case "none", "no": return .no
        case "on-failure": return .onFailure(maximumRetries: attempts)
        case "any", "always": return .always
        case "unless-stopped": return .unlessStopped
        default:
            refuse(node.position, "“\(condition.printable(limit: 40))” is not a condition for a restart.", hint: "Use none, on-failure or any.")
            return nil
        }
    }
}
