import CTerminal
import FoundationEssentials

/// How cgroups are mounted on this host, and where a container's are.
struct CgroupLayout: Sendable, Hashable {
    enum Version: Sendable, Hashable {
        case v2
        /// Controllers in v1 hierarchies, by name to mount point. Hybrid: a v2 tree beside them at `/sys/fs/cgroup/unified`.
        case v1(controllers: [String: String], isHybrid: Bool)
    }

    var version: Version
    /// Whether systemd runs this host and so manages its cgroups.
    var hasSystemd: Bool
    /// Cgroup of all containers of this instance.
    var parent: String

    static let root = "/sys/fs/cgroup"
    static let unified = "\(root)/unified"

    /// Podman's cgroup manager for this layout.
    var manager: String { hasSystemd ? "systemd" : "cgroupfs" }

    static func ofThisHost(instancePrefix: String) throws -> CgroupLayout {
        let hasSystemd = FileManager.default.fileExists(atPath: "/run/systemd/system")
        // A dash would nest the slice in that of the name before it.
        let parent = hasSystemd ? instancePrefix.replacing("-", with: "_") + ".slice" : "/\(instancePrefix)"
        guard kiln_file_system_kind(root) != 1 else { return CgroupLayout(version: .v2, hasSystemd: hasSystemd, parent: parent) }
        var controllers: [String: String] = [:]
        for mount in try MountTable.current() where mount.type == "cgroup" && mount.point.hasPrefix("\(root)/") {
            for option in mount.superOptions { controllers[option] = controllers[option] ?? mount.point }
        }
        let version = Version.v1(controllers: controllers, isHybrid: kiln_file_system_kind(unified) == 1)
        return CgroupLayout(version: version, hasSystemd: hasSystemd, parent: parent)
    }

    /// Cgroup of one image build, named `build`. A build runs in it and not below it, and a cgroup that has others below takes no device
    /// rules (EINVAL in v1), so it must be the build's own.
    func ofBuild(_ build: String) -> String {
        hasSystemd ? parent : "\(parent)/build-\(build)"
    }

    /// The folder that holds `controller`'s files of a container; nil when the host lacks the controller.
    func directory(of container: String, controller: String) -> String? {
        let name = hasSystemd ? "\(parent)/libpod-\(container).scope" : "\(parent.dropFirst())/libpod-\(container)"
        switch version {
        case .v2: return "\(Self.root)/\(name)"
        case .v1(let controllers, _): return controllers[controller].map { "\($0)/\(name)" }
        }
    }

    /// Folders of the parent cgroup in every hierarchy.
    var parentDirectories: [String] {
        let name = hasSystemd ? parent : String(parent.dropFirst())
        switch version {
        case .v2: return ["\(Self.root)/\(name)"]
        case .v1(_, let isHybrid):
            let folders = (try? FileManager.default.contentsOfDirectory(atPath: Self.root)) ?? []
            return folders.filter { $0 != "unified" || isHybrid }.map { "\(Self.root)/\($0)/\(name)" }
        }
    }
}
