import CLinux
import CommandRunner
import FileWork
import Glibc
import KilnModel

/// The dnsmasq processes of an instance: one forwarder in the host's namespace, and in each environment's a resolver and, where ports are
/// declared, one that has their SRV records. That one is started again when they change, which the resolver, whom all ask, never is.
///
/// They are daemons of their own, so that names resolve while the agent is down. Which run is read from /proc, never remembered.
struct NameServers: Sendable {
    /// Holds one directory of files per process; root's alone.
    let directory: String
    let runner: any CommandRunner

    /// The forwarder that all workspaces and environments ask in the end.
    func ensureForwarder(listeningOn address: IPv4Address) async throws {
        let configuration = NameServerConfiguration(role: .forwarder, listenAddress: address, directory: "\(directory)/forwarder")
        try await ensure(configuration, namespacePath: nil)
    }

    /// The resolver of one environment, answering for `services`.
    func ensure(environment: ResourceID, name: Name, services: [Service], upstream: IPv4Address, namespacePath: String) async throws {
        let records = NameRecords(services: services, environment: name)
        var isNew = false
        if records.hasPorts {
            let configuration = NameServerConfiguration(
                role: .records(records), listenAddress: IPv4Address(127, 0, 0, 1), directory: recordsDirectory(of: environment))
            isNew = try await ensure(configuration, namespacePath: namespacePath)
        } else if TrustedFiles.exists(recordsDirectory(of: environment)) {
            try stop(recordsDirectory(of: environment))
        }
        let configuration = NameServerConfiguration(
            role: .resolver(records, upstream: upstream), listenAddress: AddressPlan.resolver, directory: "\(directory)/\(environment)")
        // It forgets what it heard of the records when it reads its files.
        try await ensure(configuration, namespacePath: namespacePath, refreshing: isNew)
    }

    func remove(environment: ResourceID) throws {
        try stop("\(directory)/\(environment)")
        try stop(recordsDirectory(of: environment))
    }

    private func recordsDirectory(of environment: ResourceID) -> String { "\(directory)/\(environment)-records" }

    /// Environments that have a directory here.
    func environments() throws -> Set<ResourceID> {
        Set(try TrustedFiles.list(directory).compactMap { entry in entry.split(separator: "-").first.flatMap { try? ResourceID(String($0)) } })
    }

    /// Stops every process and removes every file.
    func purge() throws {
        for entry in try TrustedFiles.list(directory) { try stop("\(directory)/\(entry)") }
        try TrustedFiles.removeDirectory(directory)
    }

    /// - Parameter refreshing: whether it reads its files again though they are the same.
    /// - Returns: whether it was started.
    @discardableResult
    private func ensure(_ configuration: NameServerConfiguration, namespacePath: String?, refreshing: Bool = false) async throws -> Bool {
        try TrustedFiles.makeDirectory(directory, mode: 0o755)
        try TrustedFiles.makeDirectory(configuration.directory, mode: 0o755)
        let isNew = try TrustedFiles.update(configuration.configurationFile, with: configuration.text, mode: 0o644)
        let hostsChanged = try TrustedFiles.update(configuration.hostsFile, with: configuration.hosts, mode: 0o644)
        let serversChanged = try TrustedFiles.update(configuration.serversFile, with: configuration.servers, mode: 0o644)
        var running = try Self.processes(of: configuration.configurationFile)
        if isNew {
            for process in running { try await Self.end(process) }
            running = []
        }
        if let namespacePath, let inode = TrustedFiles.inode(namespacePath) {
            // One that was left behind in a namespace that is gone (a reboot, a purge by hand) answers nobody.
            for process in running where TrustedFiles.inode("/proc/\(process)/ns/net") != inode { try await Self.end(process) }
            running = running.filter { TrustedFiles.inode("/proc/\($0)/ns/net") == inode }
        }
        if running.isEmpty {
            let arguments = ["--conf-file=\(configuration.configurationFile)"]
            if let namespacePath {
                try await runner.succeed("/usr/bin/nsenter", ["--net=\(namespacePath)", "/usr/sbin/dnsmasq"] + arguments)
            } else {
                try await runner.succeed("/usr/sbin/dnsmasq", arguments)
            }
            return true
        }
        if hostsChanged || serversChanged || refreshing { running.forEach { kill($0, SIGHUP) } }
        return false
    }

    /// Ends a process, and returns when its port is free.
    private static func end(_ process: pid_t) async throws {
        guard let held = ChildProcess.attach(to: process) else { return }
        defer { held.close() }
        kill(process, SIGKILL)
        _ = try await Readiness.readable(held.endDescriptor, timeout: .seconds(2))
    }

    private func stop(_ directory: String) throws {
        try Self.processes(of: "\(directory)/dnsmasq.conf").forEach { kill($0, SIGKILL) }
        try TrustedFiles.removeDirectory(directory)
    }

    /// The dnsmasq processes that were started with this file.
    private static func processes(of configurationFile: String) throws -> [pid_t] {
        let argument = Array("--conf-file=\(configurationFile)".utf8)
        return try TrustedFiles.list("/proc").compactMap { pid_t($0) }.filter { process in
            guard let commandLine = try TrustedFiles.read("/proc/\(process)/cmdline") else { return false }
            let words = commandLine.split(separator: 0)
            return words.first?.reversed().starts(with: "dnsmasq".utf8.reversed()) == true && words.contains { $0.elementsEqual(argument) }
        }
    }
}
