import KilnModel

extension ComposeProject {
    /// What was understood, as one Compose file, which reads as these did. No secret's value is in it.
    public func converted() -> ComposeValue {
        var file: [String: ComposeValue] = ["services": .map(Dictionary(drafts.map { ($0.name.value, $0.converted()) }) { first, _ in first })]
        if let name { file["name"] = .text(name) }
        let volumes = Set(
            drafts.flatMap(\.settings.mounts).compactMap { if case .volume(let name) = $0.source { name.value } else { nil } })
        if !volumes.isEmpty { file["volumes"] = .map(Dictionary(volumes.map { ($0, .null) }) { first, _ in first }) }
        let granted = Set(drafts.flatMap { $0.settings.configs.map(\.name) })
        let configs = configs.filter { granted.contains($0.name) }
        if !configs.isEmpty { file["configs"] = .map(Dictionary(configs.map { ($0.name, $0.converted()) }) { first, _ in first }) }
        if !usedSecrets.isEmpty { file["secrets"] = .map(Dictionary(usedSecrets.map { ($0.name.value, $0.converted()) }) { first, _ in first }) }
        return .map(file)
    }
}

extension ComposeProject.Config {
    fileprivate func converted() -> ComposeValue {
        switch source {
        case .file(let path): .map(["file": .text(path.asWritten)])
        case .text(let text): .map(["content": .text(text)])
        }
    }
}

extension ComposeProject.Secret {
    fileprivate func converted() -> ComposeValue {
        switch source {
        case .file(let path): .map(["file": .text(path.asWritten)])
        case .text(let variable, _): .map(["environment": .text(variable)])
        case .environment: .map(["external": .flag(true)])
        }
    }
}

extension String {
    /// A path that begins as paths in Compose files do, so that no volume's name is taken for one.
    fileprivate var asWritten: String {
        let normal = ProjectPath.normal(self)
        return normal.hasPrefix("/") || normal == "." || normal == ".." || normal.hasPrefix("../") ? normal : "./\(normal)"
    }
}

extension ServiceDraft {
    fileprivate func converted() -> ComposeValue {
        var service = Self.converted(settings.container)
        switch settings.source {
        case nil: break
        case .reference(let image): service["image"] = .text(image.value)
        case .build(let build): service["build"] = Self.converted(build)
        }
        service["command"] = settings.command.map { .texts($0) }
        service["entrypoint"] = settings.entrypoint.map { .texts($0) }
        if !settings.variables.all.isEmpty { service["environment"] = .map(Dictionary(settings.variables.all.map(Self.converted)) { $1 }) }
        if !settings.ports.isEmpty {
            service["ports"] = .list(
                settings.ports.map { port in
                    let name = settings.namedPorts.first { $0.port == port }?.name
                    return .map(
                        ["target": .integer(Int(port.number)), "protocol": .text(port.transport.rawValue)].merging(
                            name.map { ["name": .text($0.value)] } ?? [:]
                        ) { $1 })
                })
        }
        if !settings.exposed.isEmpty { service["expose"] = .texts(settings.exposed.map { $0.transport == .tcp ? "\($0.number)" : "\($0)" }) }
        let mounts = settings.mounts.map(Self.converted)
        if !mounts.isEmpty { service["volumes"] = .list(mounts) }
        if !settings.configs.isEmpty { service["configs"] = .list(settings.configs.map(Self.converted)) }
        if !settings.secrets.isEmpty { service["secrets"] = .list(settings.secrets.map(Self.converted)) }
        if !settings.dependencies.isEmpty {
            service["depends_on"] = .map(
                Dictionary(settings.dependencies.map { ($0.dependency.service.value, Self.converted($0.dependency)) }) { $1 })
        }
        service["healthcheck"] = settings.healthcheck.map { Self.converted($0, keys: settings.healthcheckKeys) }
        if let restart = Self.converted(settings.restart) { service["restart"] = .text(restart) }
        if !settings.profiles.isEmpty { service["profiles"] = .texts(settings.profiles) }
        if !settings.aliases.isEmpty { service["networks"] = .map(["default": .map(["aliases": .texts(settings.aliases.map(\.value))])]) }
        var deploy: [String: ComposeValue] = [:]
        deploy["replicas"] = settings.replicas.map { .integer($0) }
        let limits = Self.converted(settings.container.limits)
        if !limits.isEmpty { deploy["resources"] = .map(["limits": .map(limits)]) }
        if !deploy.isEmpty { service["deploy"] = .map(deploy) }
        return .map(service)
    }

    private static func converted(_ build: BuildDraft) -> ComposeValue {
        var map: [String: ComposeValue] = ["context": .text(build.context.asWritten), "dockerfile": .text(build.containerfile)]
        if !build.arguments.isEmpty { map["args"] = .map(Dictionary(build.arguments.map { ($0.key, .text($0.value)) }) { $1 }) }
        map["target"] = build.target.map { .text($0) }
        return .map(map)
    }

    private static func converted(_ variable: VariableList.Variable) -> (String, ComposeValue) {
        switch variable {
        case .plain(let variable): (variable.key, .text(variable.value))
        case .secret(let variable): (variable.key, .template(variable.value.description))
        }
    }

    private static func converted(_ mount: Mount) -> ComposeValue {
        var map: [String: ComposeValue] = ["target": .text(mount.path.value)]
        if mount.isEmpty { map["volume"] = .map(["nocopy": .flag(true)]) }
        switch mount.source {
        case .volume(let name): (map["type"], map["source"]) = (.text("volume"), .text(name.value))
        case .anonymous: map["type"] = .text("volume")
        case .copy(let path, let mayBeMissing):
            (map["type"], map["source"]) = (.text("bind"), .text(path.asWritten))
            if mayBeMissing { map["bind"] = .map(["create_host_path": .flag(true)]) }
        case .memory(let size, let mode):
            map["type"] = .text("tmpfs")
            var options: [String: ComposeValue] = [:]
            options["size"] = size.map { .text("\($0)") }
            options["mode"] = mode.map { .integer($0) }
            if !options.isEmpty { map["tmpfs"] = .map(options) }
        }
        if mount.readOnly { map["read_only"] = .flag(true) }
        return .map(map)
    }

    private static func converted(_ grant: Grant) -> ComposeValue {
        var map: [String: ComposeValue] = ["source": .text(grant.name), "target": .text(grant.path.value)]
        map["mode"] = grant.mode.map { .integer($0) }
        map["uid"] = grant.user.map { .text("\($0)") }
        map["gid"] = grant.group.map { .text("\($0)") }
        return .map(map)
    }

    private static func converted(_ dependency: Service.Dependency) -> ComposeValue {
        var map: [String: ComposeValue] = ["condition": .text(dependency.condition.rawValue), "required": .flag(dependency.required)]
        if dependency.restart { map["restart"] = .flag(true) }
        return .map(map)
    }

    private static func converted(_ check: Service.Healthcheck, keys: Set<String>) -> ComposeValue {
        if keys.contains("disable") { return .map(["disable": .flag(true)]) }
        var map: [String: ComposeValue] = [:]
        if keys.contains("test") {
            let isShell = check.command.count == 3 && check.command[0] == "/bin/sh" && check.command[1] == "-c"
            map["test"] = .texts(check.command.isEmpty ? ["NONE"] : isShell ? ["CMD-SHELL", check.command[2]] : ["CMD"] + check.command)
        }
        if keys.contains("interval") { map["interval"] = .text(ComposeDuration.text(check.interval)) }
        if keys.contains("timeout") { map["timeout"] = .text(ComposeDuration.text(check.timeout)) }
        if keys.contains("start_period") { map["start_period"] = .text(ComposeDuration.text(check.startPeriod)) }
        if let span = check.startInterval { map["start_interval"] = .text(ComposeDuration.text(span)) }
        if keys.contains("retries") { map["retries"] = .integer(check.retries) }
        return .map(map)
    }

    private static func converted(_ policy: Service.RestartPolicy) -> String? { policy == .no ? nil : policy.value }

    private static func converted(_ limits: ServiceLimits) -> [String: ComposeValue] {
        var map: [String: ComposeValue] = [:]
        map["cpus"] = limits.milliCPUs.map { $0 % 1000 == 0 ? .integer($0 / 1000) : .number(Double($0) / 1000) }
        map["memory"] = limits.memory.map { .text("\($0)") }
        map["pids"] = limits.pids.map { .integer($0) }
        return map
    }

    private static func converted(_ settings: ContainerSettings) -> [String: ComposeValue] {
        var map: [String: ComposeValue] = [:]
        map["user"] = settings.user.map { .text($0.value) }
        if !settings.groups.isEmpty { map["group_add"] = .texts(settings.groups.map(\.value)) }
        map["working_dir"] = settings.workingDirectory.map { .text($0.value == "/." ? "/" : $0.value) }
        map["hostname"] = settings.hostname.map { .text($0.value) }
        if !settings.labels.isEmpty { map["labels"] = .map(settings.labels.mapValues { .text($0) }) }
        if !settings.addedCapabilities.isEmpty { map["cap_add"] = .texts(settings.addedCapabilities.map { String($0.value.dropFirst(4)) }) }
        if !settings.droppedCapabilities.isEmpty {
            map["cap_drop"] = .texts(settings.droppedCapabilities.map { $0.value == Capability.all ? $0.value : String($0.value.dropFirst(4)) })
        }
        if settings.hasNoNewPrivileges { map["security_opt"] = .texts(["no-new-privileges:true"]) }
        if !settings.kernelSettings.isEmpty { map["sysctls"] = .map(Dictionary(settings.kernelSettings.map { ($0.key, .text($0.value)) }) { $1 }) }
        if !settings.processLimits.isEmpty {
            map["ulimits"] = .map(Dictionary(settings.processLimits.map { ($0.kind.rawValue, converted($0)) }) { $1 })
        }
        map["init"] = settings.hasInit.map { .flag($0) }
        map["stop_signal"] = settings.stopSignal.map { .text($0.name) }
        map["stop_grace_period"] = settings.stopGracePeriod.map { .text(ComposeDuration.text($0)) }
        map["shm_size"] = settings.sharedMemory.map { .text("\($0)") }
        if settings.isReadOnly { map["read_only"] = .flag(true) }
        if settings.hasTerminal { map["tty"] = .flag(true) }
        if settings.keepsInputOpen { map["stdin_open"] = .flag(true) }
        if !settings.hosts.isEmpty { map["extra_hosts"] = .texts(settings.hosts.map { "\($0.name)=\($0.address)" }) }
        map["pull_policy"] = settings.pullPolicy.map { .text($0.rawValue) }
        return map
    }

    private static func converted(_ limit: ProcessLimit) -> ComposeValue {
        let (soft, hard) = (limit.soft ?? -1, limit.hard ?? -1)
        return soft == hard ? .integer(soft) : .map(["soft": .integer(soft), "hard": .integer(hard)])
    }
}
