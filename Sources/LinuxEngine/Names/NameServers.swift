import CLinux
import CommandRunner
import Glibc
import KilnModel

/// The dnsmasq processes of an instance: one forwarder in the host's namespace, one resolver in each environment's.
///
/// They are daemons of their own, so that names resolve while the agent is down. Which run is read from /proc, never remembered.
struct NameServers: Sendable {
    /// Holds one directory of files per process; root's alone.
    let directory: String
    let runner: any CommandRunner

    /// The forwarder that all workspaces and environments ask in the end.
    func ensureForwarder(listeningOn address: IPv4Address) async throws {
        let configuration = NameServerConfiguration(listenAddress: address, upstream: nil, directory: "\(directory)/forwarder")
        try await ensure(configuration, hosts: "", namespacePath: nil)
    }

    /// The resolver of one environment, answering for `services`.
    func ensure(environment: ResourceID, name: Name, services: [Service], upstream: IPv4Address, namespacePath: String) async throws {
        let configuration = NameServerConfiguration(
            listenAddress: AddressPlan.resolver, upstream: upstream, directory: "\(directory)/\(environment)")
        try await ensure(configuration, hosts: NameServerConfiguration.hosts(of: services, environment: name), namespacePath: namespacePath)
    }

    func remove(environment: ResourceID) throws {
        try stop("\(directory)/\(environment)")
    }

    /// Environments that have a resolver's directory.
    func environments() throws -> [ResourceID] {
        try TrustedFiles.list(directory).compactMap { try? ResourceID($0) }
    }

    /// Stops every process and removes every file.
    func purge() throws {
        for entry in try TrustedFiles.list(directory) { try stop("\(directory)/\(entry)") }
        try TrustedFiles.removeDirectory(directory)
    }

    private func ensure(_ configuration: NameServerConfiguration, hosts: String, namespacePath: String?) async throws {
        try TrustedFiles.makeDirectory(directory, mode: 0o755)
        try TrustedFiles.makeDirectory(configuration.directory, mode: 0o755)
        let isNew = try TrustedFiles.replace(configuration.configurationFile, with: configuration.text, mode: 0o644)
        let namesChanged = try TrustedFiles.replace(configuration.hostsFile, with: hosts, mode: 0o644)
        var running = Self.processes(of: configuration.configurationFile)
        if isNew {
            running.forEach { kill($0, SIGKILL) }
            running = []
        }
        if let namespacePath, let inode = TrustedFiles.inode(namespacePath) {
            // One that was left behind in a namespace that is gone (a reboot, a purge by hand) answers nobody.
            for process in running where TrustedFiles.inode("/proc/\(process)/ns/net") != inode { kill(process, SIGKILL) }
            running = running.filter { TrustedFiles.inode("/proc/\($0)/ns/net") == inode }
        }
        if running.isEmpty {
            let arguments = ["--conf-file=\(configuration.configurationFile)"]
            if let namespacePath {
                try await runner.succeed("/usr/bin/nsenter", ["--net=\(namespacePath)", "/usr/sbin/dnsmasq"] + arguments)
            } else {
                try await runner.succeed("/usr/sbin/dnsmasq", arguments)
            }
        } else if namesChanged {
            running.forEach { kill($0, SIGHUP) }
        }
    }

    private func stop(_ directory: String) throws {
        Self.processes(of: "\(directory)/dnsmasq.conf").forEach { kill($0, SIGKILL) }
        try TrustedFiles.removeDirectory(directory)
    }

    /// The dnsmasq processes that were started with this file.
    private static func processes(of configurationFile: String) -> [pid_t] {
        let argument = Array("--conf-file=\(configurationFile)".utf8)
        return (try? TrustedFiles.list("/proc"))?.compactMap { pid_t($0) }.filter { process in
            guard let commandLine = TrustedFiles.read("/proc/\(process)/cmdline") else { return false }
            let words = commandLine.split(separator: 0)
            return words.first?.reversed().starts(with: "dnsmasq".utf8.reversed()) == true && words.contains { $0.elementsEqual(argument) }
        } ?? []
    }
}
