import CTerminal
import CommandRunner
import FileWork
import FoundationEssentials
import Glibc
import KilnModel
import Logging

/// Finds the OCI runtime that works on this host, by running something with it.
struct RuntimeProbe {
    var configuration: ContainerHost.Configuration
    var cgroups: CgroupLayout
    var commands: any CommandRunner
    var logger: Logger

    /// crun where it runs, else runc.
    /// - Returns: the program's path, and name with version.
    func choose() async throws -> Runtime {
        try holdStrayControllers()
        favourMoves()
        var reasons: [String] = []
        for name in ["crun", "runc"] {
            do {
                let version = try await commands.succeed(name, ["--version"]).split(separator: "\n").first ?? ""
                try refuseBroken(version)
                let path = try configuration.holdReadOnly(name)
                try await run(path)
                let runtime = Runtime(name: name, path: path, description: String(version.replacing("version ", with: "")))
                logger.info("The container runtime is \(runtime.description).")
                return runtime
            } catch {
                reasons.append("\(name): \(error)")
                logger.warning("The container runtime \(name) does not run here: \(error)")
            }
        }
        throw KilnError(.engineUnavailable, "No container runtime works here. \(reasons.joined(separator: " "))", hint: "apt-get install crun")
    }

    /// runc up to 1.1 makes such containers as Kiln's but runs nothing more in them: it enters the user namespace first and may then not enter
    /// a network namespace of the host's (`podman exec` fails alike).
    private func refuseBroken(_ version: Substring) throws {
        guard ["runc version 0.", "runc version 1.0", "runc version 1.1"].contains(where: { version.hasPrefix($0) }) else { return }
        throw KilnError(.engineUnavailable, "\(version) cannot run programs in a container with a user namespace.")
    }

    /// crun refuses a host with v1 controllers and a v2 tree beside them while the v2 tree has any controller. Each such controller is taken
    /// out of it by a v1 mount. One that only a mount elsewhere keeps out is mounted here too, lest that mount go away.
    private func holdStrayControllers() throws {
        guard case .v1(let mounted, isHybrid: true) = cgroups.version else { return }
        let inUnified = try TrustedFiles.text(of: "\(CgroupLayout.unified)/cgroup.controllers").split { $0.isWhitespace }.map(String.init)
        // In a hierarchy of v1 (its number is not 0), though none that is mounted where it should be: maybe in another mount namespace.
        let elsewhere = try TrustedFiles.text(of: "/proc/cgroups").split(separator: "\n").dropFirst().compactMap { line -> String? in
            let fields = line.split(separator: "\t").map(String.init)
            return fields.count > 1 && fields[1] != "0" && mounted[fields[0]] == nil ? fields[0] : nil
        }
        let held = Set(try MountTable.points(within: configuration.cgroups))
        for controller in Set(inUnified + elsewhere) {
            let target = "\(configuration.cgroups)/\(controller)"
            guard !held.contains(target) else { continue }
            try TrustedFiles.makeDirectories(target, mode: 0o700)
            let code = kiln_mount_cgroup(controller, target)
            guard code == 0 else { throw TrustedFiles.failure("mount the cgroup controller \(controller) at \(target)", code: -code) }
            logger.info("Mounted the cgroup controller \(controller) at \(target), as crun needs.")
        }
    }

    /// Has the kernel move processes between cgroups without waiting for all processors to pass by (`favordynmods`; since Linux 6.0): several
    /// waits of milliseconds each in every start of a container and of a program in one.
    ///
    /// Any hierarchy mounted with the option turns it on for all of them, for as long as it is mounted; one of our own, without a controller,
    /// leaves the host's mounts alone. Where the kernel has no such option, or no v1, starts take their time.
    private func favourMoves() {
        let target = "\(configuration.cgroups)/moves"
        do {
            guard try !MountTable.points(within: configuration.cgroups).contains(target) else { return }
            try TrustedFiles.makeDirectories(target, mode: 0o700)
            let code = kiln_mount_cgroup("none,favordynmods,name=\(configuration.instancePrefix)", target)
            guard code == 0 else { throw TrustedFiles.failure("mount a cgroup hierarchy at \(target)", code: -code) }
        } catch {
            logger.info("Starts of containers wait for the kernel, which cannot favour moves between cgroups: \(error)")
        }
    }

    /// Runs `true` in a container made of nothing but the host's /usr.
    private func run(_ program: String) async throws {
        let bundle = configuration.probe
        try TrustedFiles.remove(bundle)
        for folder in ["usr", "dev", "proc", "sys"] { try TrustedFiles.makeDirectories("\(bundle)/rootfs/\(folder)", mode: 0o700) }
        defer { try? TrustedFiles.remove(bundle) }
        for link in ["bin", "lib", "lib64"] {
            try FileManager.default.createSymbolicLink(atPath: "\(bundle)/rootfs/\(link)", withDestinationPath: "usr/\(link)")
        }
        let name = "\(configuration.instancePrefix)-probe-\(getpid())"
        let path = cgroups.hasSystemd ? "\(cgroups.parent):kiln:\(name)" : "\(cgroups.parent)/\(name)"
        try TrustedFiles.replace("\(bundle)/config.json", with: Self.document(cgroupsPath: path))
        let options = cgroups.hasSystemd ? ["--systemd-cgroup"] : []
        try await commands.succeed(Command(program, options + ["run", "--bundle", bundle, name], timeout: .seconds(20)))
    }

    private static func document(cgroupsPath: String) -> String {
        let namespaces = ["mount", "pid", "ipc", "uts"].map { "{\"type\":\"\($0)\"}" }.joined(separator: ",")
        return """
            {"ociVersion":"1.0.0","root":{"path":"rootfs"},"hostname":"probe",
            "process":{"cwd":"/","args":["/usr/bin/true"],"env":["PATH=/usr/bin"],"user":{"uid":0,"gid":0}},
            "mounts":[{"destination":"/proc","type":"proc","source":"proc"},
            {"destination":"/usr","type":"bind","source":"/usr","options":["rbind","ro"]}],
            "linux":{"cgroupsPath":"\(cgroupsPath)","namespaces":[\(namespaces)]}}
            """
    }
}

extension ContainerHost.Configuration {
    /// Mounts one of the host's runtimes read-only, and returns where; done when it is mounted already.
    ///
    /// crun makes such a mount at every start of one that could be written by way of `/proc/PID/exe` (CVE-2019-5736), and starts again from
    /// there: two to three milliseconds, four times until a new workspace has run its first command.
    func holdReadOnly(_ runtime: String) throws -> String {
        let bind = BindMount(source: try Programs.path(runtime, package: runtime), target: "\(programs)/\(runtime)", readOnly: true)
        // Mounted, but not this one: the host's was replaced by a newer one.
        if try !bind.isMounted {
            try MountTable.unmount(bind.target)
            try bind.mount()
        }
        return bind.target
    }
}

/// An OCI runtime.
struct Runtime: Sendable, Hashable {
    /// `crun` or `runc`.
    var name: String
    var path: String
    /// `crun 1.8.1`, say.
    var description: String
}
