/// The keys one place of a file may have: those that are read, and those that Compose knows but an environment cannot do.
struct KnownKeys: Sendable {
    struct Refusal: Sendable {
        var why: String
        var hint: String
    }

    var supported: [String]
    var unsupported: [String: Refusal]

    init(_ supported: [String], refusing groups: [(why: String, hint: String, keys: [String])] = []) {
        self.supported = supported
        unsupported = [:]
        for group in groups {
            for key in group.keys { unsupported[key] = Refusal(why: group.why, hint: group.hint) }
        }
    }

    private static let remove = "Remove it."
    private static let image = "Set it in the service's Dockerfile."

    static let file = KnownKeys(
        ["name", "version", "services", "volumes"],
        refusing: [
            ("an environment has one private network, on which every service reaches every other by name.", remove, ["networks"]),
            ("files do not travel along.", "Put them into an image with “build”, or their values into “environment”.", ["configs", "secrets"]),
            ("one file describes an environment.", "Copy the services into this file.", ["include"]),
            ("environments run containers only.", remove, ["models"]),
        ]
    )

    static let service = KnownKeys(
        [
            "image", "build", "command", "entrypoint", "environment", "env_file", "ports", "expose", "volumes", "depends_on", "healthcheck",
            "restart",
        ],
        refusing: [
            ("it would give the service the host's root.", remove, ["privileged"]),
            (
                "a service has no rights over the host; which it has within its container is fixed.", remove,
                ["cap_add", "cap_drop", "security_opt", "userns_mode", "use_api_socket", "credential_spec", "isolation"]
            ),
            ("the host's devices are out of reach of an environment.", remove, ["devices", "device_cgroup_rules", "gpus"]),
            (
                "every service has a network namespace of its own, in which the environment's names and addresses hold.", remove,
                ["network_mode", "networks", "mac_address", "sysctls"]
            ),
            ("every service has namespaces of its own.", remove, ["pid", "ipc", "uts", "cgroup", "cgroup_parent", "runtime"]),
            (
                "names are resolved by the environment's own resolver.", "Reach a service by its name.",
                ["dns", "dns_opt", "dns_search", "domainname", "extra_hosts", "external_links", "links", "hostname", "container_name"]
            ),
            ("only named volumes can be mounted.", "Use “volumes” with a name.", ["volumes_from", "tmpfs", "storage_opt", "configs", "secrets"]),
            ("the image decides it.", image, ["user", "group_add", "working_dir", "stop_signal", "platform", "label_file", "labels", "annotations"]),
            ("every container has an init as its first process already.", remove, ["init"]),
            ("services run without a terminal.", remove, ["tty", "stdin_open", "attach"]),
            ("a service has one container.", remove, ["scale", "deploy"]),
            (
                "services have no limits of their own yet.", remove,
                [
                    "blkio_config", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpus",
                    "cpuset",
                    "mem_limit", "mem_reservation", "mem_swappiness", "memswap_limit", "oom_kill_disable", "oom_score_adj", "pids_limit", "shm_size",
                    "ulimits",
                ]
            ),
            ("a service's output is always kept and shown by “kl env logs”.", remove, ["logging"]),
            ("every service of the file is part of the environment.", "Remove it, or move the service to a file of its own.", ["profiles"]),
            ("one file describes an environment.", "Use an anchor and a merge key (<<) within the file.", ["extends"]),
            ("an image is pulled or built when it is missing.", remove, ["pull_policy"]),
            (
                "it is not known to environments.", remove,
                ["develop", "driver_opts", "models", "post_start", "pre_stop", "provider", "read_only", "stop_grace_period"]
            ),
        ]
    )

    static let build = KnownKeys(
        ["context", "dockerfile", "args", "target"],
        refusing: [
            (
                "a build sees its context only.", "Put what it needs into the context.",
                ["additional_contexts", "secrets", "ssh", "dockerfile_inline"]
            ),
            (
                "builds are kept by their content; caches and tags are not yours to choose.", remove,
                ["cache_from", "cache_to", "no_cache", "pull", "tags"]
            ),
            (
                "builds run without rights over the host.", remove,
                ["privileged", "entitlements", "network", "extra_hosts", "isolation", "shm_size", "ulimits"]
            ),
            ("images are built for the machine they run on.", remove, ["platforms"]),
            ("the Dockerfile decides it.", "Write it there.", ["labels", "provenance", "sbom"]),
        ]
    )

    static let healthcheck = KnownKeys(
        ["test", "interval", "timeout", "retries", "start_period", "disable"],
        refusing: [("“interval” counts during the start too.", "Use “interval” and “start_period”.", ["start_interval"])]
    )

    static let port = KnownKeys(["target", "published", "host_ip", "protocol", "mode", "name", "app_protocol"])

    static let volumeMount = KnownKeys(
        ["type", "source", "target", "read_only"],
        refusing: [
            ("only named volumes can be mounted.", remove, ["bind", "tmpfs", "image", "cluster"]),
            ("a volume is mounted as it is.", remove, ["volume", "consistency"]),
        ]
    )

    static let volume = KnownKeys(
        [],
        refusing: [
            (
                "a volume belongs to its environment and lies where the environment's data lie.", "Leave the value empty.",
                ["driver", "driver_opts", "external", "name", "labels"]
            )
        ]
    )

    static let dependency = KnownKeys(["condition", "required", "restart"])
    static let environmentFile = KnownKeys(
        ["path", "required"], refusing: [("files are read in Compose's own format.", remove, ["format"])]
    )
}
