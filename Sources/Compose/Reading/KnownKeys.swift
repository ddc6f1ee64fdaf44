/// The keys one place of a file may have: those that are read, those that mean nothing to an environment, and those that it cannot do.
struct KnownKeys: Sendable {
    struct Refusal: Sendable {
        var why: String
        var hint: String
    }

    var supported: [String]
    /// Key → why it has no effect.
    var idle: [String: String] = [:]
    var unsupported: [String: Refusal] = [:]

    init(
        _ supported: [String], idle: [(why: String, keys: [String])] = [], refusing: [(why: String, hint: String, keys: [String])] = []
    ) {
        self.supported = supported
        for group in idle {
            for key in group.keys { self.idle[key] = group.why }
        }
        for group in refusing {
            for key in group.keys { unsupported[key] = Refusal(why: group.why, hint: group.hint) }
        }
    }

    var all: [String] { supported + (Array(idle.keys) + Array(unsupported.keys)).sorted() }

    private static let remove = "Remove it."

    static let file = KnownKeys(
        ["name", "version", "services", "networks", "volumes", "configs", "secrets", "include"],
        refusing: [("environments run containers only.", remove, ["models"])]
    )

    static let service = KnownKeys(
        [
            "image", "build", "command", "entrypoint", "environment", "env_file", "ports", "expose", "volumes", "depends_on", "healthcheck",
            "restart",
            "profiles", "extends", "configs", "secrets", "networks", "network_mode", "links", "container_name", "hostname", "extra_hosts", "user",
            "group_add", "working_dir", "labels", "label_file", "cap_add", "cap_drop", "security_opt", "privileged", "sysctls", "ulimits", "init",
            "stop_signal", "stop_grace_period", "tmpfs", "shm_size", "read_only", "tty", "stdin_open", "deploy", "scale", "cpus", "mem_limit",
            "pids_limit", "pull_policy", "pid", "ipc", "uts", "cgroup", "userns_mode",
        ],
        idle: [
            ("a service's output is always kept and shown by “kl env logs”.", ["logging", "attach"]),
            ("images are those of the machine they run on.", ["platform"]),
            ("names are resolved by the environment's own resolver.", ["dns", "dns_opt", "dns_search", "domainname"]),
            ("addresses are the environment's to give.", ["mac_address"]),
            ("Kiln's engine has no use for it.", ["annotations", "cgroup_parent", "runtime", "isolation", "storage_opt", "driver_opts"]),
            ("nothing watches the files of your machine.", ["develop"]),
            (
                "of limits, a service has “cpus”, “mem_limit” and “pids_limit”.",
                [
                    "blkio_config", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpuset",
                    "mem_reservation", "mem_swappiness", "memswap_limit", "oom_kill_disable", "oom_score_adj",
                ]
            ),
        ],
        refusing: [
            ("it would give the service a way to the host's containers.", remove, ["use_api_socket"]),
            ("the host's devices are out of reach of an environment.", remove, ["devices", "device_cgroup_rules", "gpus"]),
            ("a service reaches the services of its own environment only.", "Describe the other one in this file.", ["external_links"]),
            ("volumes are named where they are mounted.", "Name them under “volumes” of this service too.", ["volumes_from"]),
            ("environments run containers only.", remove, ["models", "provider", "credential_spec"]),
            ("no program is run in a service from outside.", "Do it in the image's entrypoint.", ["post_start", "pre_stop"]),
        ]
    )

    static let extends = KnownKeys(["service", "file"])
    static let include = KnownKeys(["path", "project_directory", "env_file"])

    static let build = KnownKeys(
        ["context", "dockerfile", "args", "target"],
        idle: [
            ("builds are kept by their content.", ["cache_from", "cache_to", "no_cache", "pull", "tags", "labels", "provenance", "sbom"]),
            ("a build has the network and the limits that all builds have.", ["network", "isolation", "shm_size", "ulimits", "extra_hosts"]),
            ("images are built for the machine they run on.", ["platforms"]),
        ],
        refusing: [
            (
                "a build sees its context only.", "Put what it needs into the context.",
                ["additional_contexts", "secrets", "ssh", "dockerfile_inline"]
            ),
            ("builds run without rights over the host.", remove, ["privileged", "entitlements"]),
        ]
    )

    static let healthcheck = KnownKeys(["test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"])
    static let port = KnownKeys(["target", "published", "host_ip", "protocol", "mode", "name", "app_protocol"])

    static let mount = KnownKeys(
        ["type", "source", "target", "read_only", "bind", "volume", "tmpfs"],
        idle: [("mounts are as quick as the disk.", ["consistency"])],
        refusing: [("a mount is of a volume, a file beside the Compose file, or memory.", remove, ["image", "cluster"])]
    )
    static let bindOptions = KnownKeys(
        ["create_host_path"], idle: [("the mount is of a copy that belongs to the environment.", ["propagation", "selinux", "recursive"])])
    static let volumeOptions = KnownKeys(
        ["nocopy"], idle: [("a volume belongs to its environment.", ["labels"])],
        refusing: [("a volume is mounted as a whole.", "Use a volume of its own.", ["subpath"])])
    static let memoryOptions = KnownKeys(["size", "mode"])

    static let volume = KnownKeys(
        ["driver"],
        idle: [("a volume belongs to its environment, under the name it has in the file.", ["external", "name", "labels"])],
        refusing: [("a volume lies where the environment's data lie.", remove, ["driver_opts"])]
    )

    static let network = KnownKeys(
        ["name"],
        idle: [
            (
                "an environment has one private network, on which every service reaches every other by name.",
                [
                    "driver", "driver_opts", "attachable", "enable_ipv4", "enable_ipv6", "external", "internal", "ipam", "labels",
                ]
            )
        ]
    )
    static let attachment = KnownKeys(
        ["aliases"],
        idle: [
            (
                "an environment has one private network and gives its own addresses.",
                [
                    "ipv4_address", "ipv6_address", "link_local_ips", "mac_address", "priority", "driver_opts", "gw_priority", "interface_name",
                ]
            )
        ])

    static let config = KnownKeys(
        ["file", "content", "environment", "external"],
        idle: [("it belongs to its environment, under the name it has in the file.", ["name", "labels", "template_driver", "driver", "driver_opts"])])
    static let secret = KnownKeys(
        ["file", "environment", "external"],
        idle: [("it belongs to its environment, under the name it has in the file.", ["name", "labels", "template_driver", "driver", "driver_opts"])])
    static let grant = KnownKeys(["source", "target", "uid", "gid", "mode"])

    static let deploy = KnownKeys(
        ["replicas", "resources", "restart_policy"],
        idle: [
            (
                "a service runs on its environment's machine.",
                ["mode", "placement", "update_config", "rollback_config", "endpoint_mode", "labels"]
            )
        ])
    static let resources = KnownKeys(["limits"], idle: [("nothing is set aside for a service.", ["reservations"])])
    static let limits = KnownKeys(
        ["cpus", "memory", "pids"], refusing: [("the host's devices are out of reach of an environment.", remove, ["devices", "generic_resources"])])
    static let restartPolicy = KnownKeys(["condition", "max_attempts"], idle: [("Kiln chooses the pauses.", ["delay", "window"])])
    static let limitRange = KnownKeys(["soft", "hard"])

    static let dependency = KnownKeys(["condition", "required", "restart"])
    static let environmentFile = KnownKeys(
        ["path", "required"], refusing: [("files are read in Compose's own format.", remove, ["format"])]
    )
}
