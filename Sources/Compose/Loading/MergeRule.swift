/// How a value of one file is laid over that of another, by where it stands. What is not named here is merged by its kind: maps key by key,
/// lists one behind the other, texts by the later one (Compose specification, “Merge”).
enum MergeRule {
    /// The later one stands alone.
    case replace
    /// A list of `KEY=VALUE` and a map are the same thing; the later value of a key stands.
    case variables
    /// One text is a list of one.
    case list
    /// A list of names is a map of names to this.
    case names(default: [(key: String, value: String)])
    /// A text is a map with this key.
    case map(key: String)
    /// Options of one driver mean nothing to another.
    case logging

    /// - Parameter path: keys from the top of the file.
    static func at(_ path: [String]) -> MergeRule? {
        guard path.first == "services", path.count >= 3 else {
            return path.count == 3 && path[2] == "labels" ? .variables : nil
        }
        switch path[2...].joined(separator: ".") {
        case "command", "entrypoint", "healthcheck.test": return .replace
        case "environment", "labels", "annotations", "sysctls", "extra_hosts", "build.args", "build.labels", "build.extra_hosts",
            "build.additional_contexts", "deploy.labels":
            return .variables
        case "env_file", "label_file", "tmpfs", "dns", "dns_opt", "dns_search": return .list
        case "depends_on": return .names(default: [("condition", "service_started"), ("required", "true")])
        case "networks": return .names(default: [])
        case "build": return .map(key: "context")
        case "logging": return .logging
        default: return path.count == 4 && path[2] == "ulimits" ? .replace : nil
        }
    }

    /// What tells the items of a list apart: of two with the same key the later one stands in the place of the earlier. nil: both stand.
    static func key(of item: YAMLNode, at path: [String]) -> String? {
        guard path.first == "services", path.count >= 3 else { return nil }
        let key = path[2...].joined(separator: ".")
        switch key {
        case "cap_add", "cap_drop", "dns", "dns_opt", "dns_search", "expose", "links", "profiles", "security_opt", "external_links":
            return item.plainText
        case "tmpfs": return item.plainText
        case "env_file": return item.plainText ?? item["path"]?.value.plainText
        case "volumes": return item["target"]?.value.plainText ?? item.plainText.map(volumeTarget)
        case "configs": return item.plainText.map { "/\($0)" } ?? item["target"]?.value.plainText ?? item["source"]?.value.plainText.map { "/\($0)" }
        case "secrets":
            let target = item["target"]?.value.plainText ?? item["source"]?.value.plainText ?? item.plainText
            return target.map { $0.hasPrefix("/") ? $0 : "/run/secrets/\($0)" }
        case "ports":
            if let text = item.plainText { return text }
            let parts = ["host_ip", "published", "target", "protocol"].map { item[$0]?.value.plainText ?? "" }
            return "{\(parts.joined(separator: ","))}"
        default: return path.count == 5 && path[2] == "networks" && path[4] == "aliases" ? item.plainText : nil
        }
    }

    private static func volumeTarget(_ text: String) -> String {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return String(parts.count > 1 ? parts[1] : parts[0])
    }
}

extension YAMLNode {
    var plainText: String? { if case .scalar(let text, _) = content { text } else { nil } }
}
