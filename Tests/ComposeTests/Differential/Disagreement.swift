import Foundation

/// Where Kiln means to say something else than the reference, and why. This list is all there is: any other difference is a mistake.
struct Disagreement: Sendable {
    let reason: String
    /// Turns what the reference says into what Kiln should say.
    let apply: @Sendable (inout JSONTree) -> Void

    static let all: [Disagreement] = [
        .project("extension keys are for anchors; nothing reads them later") { project in
            for key in project.entries.keys where key.hasPrefix("x-") { project[key] = nil }
        },
        .service("a value that is not set is not said") { service in
            for key in service.entries.keys where service[key] == .null { service[key] = nil }
            for key in service["environment"]?.entries.keys ?? [:].keys where service["environment"]?[key] == .null {
                service["environment"]?[key] = nil
            }
            if service["environment"]?.isEmptyMap == true { service["environment"] = nil }
        },
        .service("what has no effect is warned of and forgotten") { service in
            let idle = [
                "platform", "logging", "dns", "dns_search", "dns_opt", "mac_address", "runtime", "cgroup_parent", "isolation", "attach", "ipc",
                "cgroup",
                "develop", "blkio_config", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "mem_swappiness",
                "oom_kill_disable", "oom_score_adj", "storage_opt", "annotations", "domainname", "mem_reservation", "memswap_limit", "cpu_shares",
                "cpuset", "network_mode", "privileged",
            ]
            for key in idle { service[key] = nil }
        },
        .service("a service has “deploy” for limits and replicas, whichever way they were written") { service in
            var deploy = service["deploy"] ?? .map([:])
            for key in ["mode", "endpoint_mode", "labels", "placement", "update_config", "rollback_config"] { deploy[key] = nil }
            deploy["resources"]?["reservations"] = nil
            var limits = deploy["resources"]?["limits"] ?? .map([:])
            for (old, new) in [("cpus", "cpus"), ("mem_limit", "memory"), ("pids_limit", "pids")] {
                if let value = service[old] { limits[new] = value }
                service[old] = nil
            }
            if limits["pids"] == .number(-1) { limits["pids"] = nil }
            if let scale = service["scale"] { deploy["replicas"] = scale }
            service["scale"] = nil
            deploy["resources"] = limits.isEmptyMap ? nil : .map(["limits": limits])
            if let policy = deploy["restart_policy"] {
                let condition = policy["condition"]?.text ?? "any"
                let attempts: String = if case .number(let count)? = policy["max_attempts"] { ":\(Int(count))" } else { "" }
                service["restart"] = .text(condition == "any" ? "always" : condition == "none" ? "no" : condition + attempts)
                deploy["restart_policy"] = nil
            }
            service["deploy"] = deploy.isEmptyMap ? nil : deploy
        },
        .service("“no” is how services are restarted when nothing is said") { service in
            if service["restart"] == .text("no") { service["restart"] = nil }
        },
        .service("nothing is published on a host: the container's ports count, each once") { service in
            var seen: Set<JSONTree> = []
            guard let ports = service["ports"] else { return }
            service["ports"] = .list(
                ports.items.map { .map($0.entries.filter { ["target", "protocol"].contains($0.key) }) }.filter { seen.insert($0).inserted })
        },
        .service("exposed ranges are the ports they mean") { service in
            guard let ports = service["expose"] else { return }
            service["expose"] = .list(
                ports.items.flatMap { item -> [JSONTree] in
                    let ends = (item.text ?? "").split(separator: "-").compactMap { Int($0) }
                    return ends.count == 2 ? (ends[0]...ends[1]).map { .text("\($0)") } : [item]
                })
        },
        .service("there is one network, in which every further name of a service counts") { service in
            var names = (service["networks"]?.entries ?? [:]).sorted { $0.key < $1.key }.flatMap { $0.value["aliases"]?.items ?? [] }
            if let name = service["container_name"] { names.append(name) }
            service["container_name"] = nil
            var seen: Set<JSONTree> = []
            names = names.filter { seen.insert($0).inserted }.sorted { ($0.text ?? "") < ($1.text ?? "") }
            service["networks"] = names.isEmpty ? nil : .map(["default": .map(["aliases": .list(names)])])
        },
        .project("links are dependencies, and aliases that all services know") { project in
            for (name, service) in project["services"]?.entries ?? [:] {
                for link in service["links"]?.items ?? [] {
                    let parts = (link.text ?? "").split(separator: ":").map(String.init)
                    guard parts.count == 2, parts[0] != parts[1] else { continue }
                    var target = project["services"]?[parts[0]] ?? .null
                    let old = target["networks"]?["default"]?["aliases"]?.items ?? []
                    target["networks"] = .map([
                        "default": .map(["aliases": .list((old + [.text(parts[1])]).sorted { ($0.text ?? "") < ($1.text ?? "") })])
                    ])
                    project["services"]?[parts[0]] = target
                }
                project["services"]?[name]?["links"] = nil
            }
        },
        .service("a build is named after its content") { service in
            if service["build"] != nil { service["image"] = nil }
        },
        .service("of a build, context, Dockerfile, arguments and target count") { service in
            for key in ["labels", "cache_from", "platforms"] { service["build"]?[key] = nil }
        },
        .service("a mount is of a copy, a volume or memory; how a host would do it is not said") { service in
            guard let mounts = service["volumes"] else { return }
            service["volumes"] = .list(
                mounts.items.map { mount in
                    var mount = mount
                    mount["volume"] = mount["volume"]?["nocopy"].map { .map(["nocopy": $0]) }
                    mount["bind"] = mount["bind"]?["create_host_path"].map { .map(["create_host_path": $0]) }
                    if mount["tmpfs"]?.isEmptyMap == true { mount["tmpfs"] = nil }
                    return mount
                })
        },
        .service("memory is a mount") { service in
            guard let paths = service["tmpfs"] else { return }
            let mounts = paths.items.map { item -> JSONTree in
                let parts = (item.text ?? "").split(separator: ":", maxSplits: 1).map(String.init)
                var options: [String: JSONTree] = [:]
                for option in parts.count > 1 ? parts[1].split(separator: ",") : [] {
                    if option.hasPrefix("size=64m") { options["size"] = .text("67108864") }
                    if option.hasPrefix("mode="), let mode = Int(option.dropFirst(5), radix: 8) { options["mode"] = .number(Double(mode)) }
                }
                return .map(["type": .text("tmpfs"), "target": .text(parts[0])].merging(options.isEmpty ? [:] : ["tmpfs": .map(options)]) { $1 })
            }
            service["volumes"] = .list((service["volumes"]?.items ?? []) + mounts)
            service["tmpfs"] = nil
        },
        .service("configs and secrets say where they are mounted") { service in
            for (key, folder) in [("configs", "/"), ("secrets", "/run/secrets/")] {
                guard let grants = service[key] else { continue }
                service[key] = .list(
                    grants.items.map { grant in
                        var grant = grant
                        let target = grant["target"]?.text ?? grant["source"]?.text ?? ""
                        grant["target"] = .text(target.hasPrefix("/") ? target : folder + target)
                        return grant
                    })
            }
        },
        .service("a check that is off has nothing else to say") { service in
            if service["healthcheck"]?["disable"] == .flag(true) { service["healthcheck"] = .map(["disable": .flag(true)]) }
        },
        .service("a check of which nothing is said is none") { service in
            if service["healthcheck"]?.isEmptyMap == true { service["healthcheck"] = nil }
        },
        .service("two equal limits are one, and 0 is a limit") { service in
            for (key, limit) in service["ulimits"]?.entries ?? [:] {
                // The reference loses a limit of 0.
                if limit.isEmptyMap { service["ulimits"]?[key] = .number(0) }
                if let soft = limit["soft"], soft == limit["hard"] { service["ulimits"]?[key] = soft }
            }
        },
        .service("one spelling for each capability") { service in
            for key in ["cap_add", "cap_drop"] where service[key] != nil {
                service[key] = .list(service[key]?.items.map { .text(($0.text ?? "").uppercased().replacing("CAP_", with: "")) } ?? [])
            }
        },
        .service("“if_not_present” is “missing”, and SELinux labels are not used") { service in
            if service["pull_policy"] == .text("if_not_present") { service["pull_policy"] = .text("missing") }
            if let options = service["security_opt"] {
                service["security_opt"] = .list(options.items.filter { !($0.text ?? "").hasPrefix("label") })
            }
        },
        .project("networks, volumes, configs and secrets belong to the environment: names and drivers of a host mean nothing") { project in
            project["networks"] = nil
            for name in project["volumes"]?.entries.keys ?? [:].keys { project["volumes"]?[name] = .some(.null) }
            for section in ["configs", "secrets"] {
                for name in project[section]?.entries.keys ?? [:].keys { project[section]?[name]?["name"] = nil }
            }
        },
        .project("a dependency that may be missing, and is, is none") { project in
            for (name, service) in project["services"]?.entries ?? [:] {
                for other in service["depends_on"]?.entries.keys ?? [:].keys where project["services"]?[other] == nil {
                    project["services"]?[name]?["depends_on"]?[other] = nil
                }
                if project["services"]?[name]?["depends_on"]?.isEmptyMap == true { project["services"]?[name]?["depends_on"] = nil }
            }
        },
        .service("of two grants for one place the later one counts") { service in
            guard let grants = service["secrets"]?.items else { return }
            var kept: [JSONTree] = []
            for grant in grants {
                if let place = kept.firstIndex(where: { $0["target"] == grant["target"] }) { kept[place] = grant } else { kept.append(grant) }
            }
            service["secrets"] = .list(kept)
        },
        .service("a value stays as it is written: 1.10 is no 1.1, and a date no moment") { service in
            let written = ["FLOAT": "1.50", "EXPONENT": "1e3", "HEX": "0x1F", "DATE": "2024-01-02"]
            for (key, value) in written where service["environment"]?[key] != nil { service["environment"]?[key] = .text(value) }
            if service["build"]?["args"]?["VERSION"] != nil { service["build"]?["args"]?["VERSION"] = .text("1.10") }
        },
        .project("a config from a variable is a text") { project in
            for (name, config) in project["configs"]?.entries ?? [:] where config["environment"] == .text("MOTD") {
                project["configs"]?[name] = .map(["content": .text("welcome")])
            }
        },
    ]

    private static func project(_ reason: String, _ apply: @escaping @Sendable (inout JSONTree) -> Void) -> Disagreement {
        Disagreement(reason: reason, apply: apply)
    }

    private static func service(_ reason: String, _ apply: @escaping @Sendable (inout JSONTree) -> Void) -> Disagreement {
        Disagreement(reason: reason) { project in
            guard var services = project["services"] else { return }
            for (name, var service) in services.entries {
                apply(&service)
                services[name] = service
            }
            project["services"] = services
        }
    }
}
