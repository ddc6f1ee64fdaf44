import CommandRunner
import FileWork
import FoundationEssentials
import Glibc
import KilnModel
import Logging
import Testing

@testable import LinuxEngine

extension ContainerTests {
    @Suite(.timeLimit(.minutes(3)))
    struct SupervisionTests {
        let fixture = ContainerFixture.shared

        @Test func `Containers live through the service's death, and it is started again`() async throws {
            try await fixture.with { host, id in
                let before = try #require(try await host.inspect(id)?.pid)
                let service = try #require(UnixSocket.listener(at: host.configuration.socket))
                #expect(kill(service, SIGKILL) == 0)
                // The call waits for the service that is started anew.
                let after = try #require(try await host.inspect(id))
                #expect(after.pid == before && after.phase == .running)
                #expect(UnixSocket.listener(at: host.configuration.socket) != service)
                #expect(try await host.run(["true"], in: id).status == 0)
            }
        }

        @Test func `Another agent adopts the service that runs, and ends it when it stops`() async throws {
            let prefix = "\(fixture.prefix)b"
            let configuration = ContainerHost.Configuration(
                stateDirectory: "/var/tmp/\(prefix)", runtimeDirectory: "/run/\(prefix)", instancePrefix: prefix)
            let host = try await ContainerHost.prepare(configuration, logger: Logger(label: "test"))
            #expect(host.runtime.hasPrefix("crun ") || host.runtime.hasPrefix("runc "))
            let service = try ChildProcess.spawn(
                host.programs.podman, ["system", "service", "--time=0", "unix://\(configuration.socket)"], environment: host.environment,
                input: Descriptor(owning: open("/dev/null", O_RDONLY)), output: Descriptor(owning: open("/dev/null", O_WRONLY)),
                errorOutput: Descriptor(owning: open("/dev/null", O_WRONLY)))
            try await host.client.ping(timeout: .seconds(30))
            let supervisor = Task { try await host.run() }
            try await host.client.ping()
            #expect(UnixSocket.listener(at: configuration.socket) == service.pid)
            try await Task.sleep(for: .milliseconds(300))
            supervisor.cancel()
            _ = await supervisor.result
            #expect(UnixSocket.listener(at: configuration.socket) == nil)
            try await host.shutdown()
            try await ContainerHost.purge(configuration)
            try await ContainerHost.purge(configuration)
            #expect(try MountTable.points(within: configuration.runtimeDirectory).isEmpty)
            #expect(!FileManager.default.fileExists(atPath: configuration.stateDirectory))
            #expect(!FileManager.default.fileExists(atPath: configuration.runtimeDirectory))
            for folder in host.cgroups.parentDirectories { #expect(!FileManager.default.fileExists(atPath: folder)) }
        }

        @Test func `Moves between cgroups are favoured, and spared where they serve nothing`() async throws {
            try await fixture.with { host, id in
                let hierarchy = try #require(try MountTable.current().first { $0.point == "\(host.configuration.cgroups)/moves" })
                #expect(hierarchy.type == "cgroup" && hierarchy.superOptions.contains("favordynmods"), "\(hierarchy)")
                let container = try #require(try await host.inspect(id)).pid
                let monitor = try #require(ProcessStatus(of: container)).parent
                let own = try TrustedFiles.text(of: "/proc/\(container)/cgroup"), monitors = try TrustedFiles.text(of: "/proc/\(monitor)/cgroup")
                #expect(own.contains(id))
                #expect(!monitors.contains(id) && !monitors.contains("conmon"), "\(monitors)")
            }
        }

        @Test func `The runtime starts from a mount that nobody can write to, of the program that the host has now`() async throws {
            let prefix = "\(fixture.prefix)c"
            let configuration = ContainerHost.Configuration(
                stateDirectory: "/var/tmp/\(prefix)", runtimeDirectory: "/run/\(prefix)", instancePrefix: prefix)
            let host = try await ContainerHost.prepare(configuration, logger: Logger(label: "test"))
            let runtime = host.runtimeProgram
            #expect(open(runtime.path, O_WRONLY) == -1 && errno == EROFS)
            // As after an upgrade: what is mounted is another file than the host's.
            let original = BindMount(source: try Programs.path(runtime.name, package: runtime.name), target: runtime.path)
            try MountTable.unmount(runtime.path)
            try BindMount(source: "/usr/bin/true", target: runtime.path, readOnly: true).mount()
            #expect(try !original.isMounted)
            let next = try await ContainerHost.prepare(configuration, logger: Logger(label: "test"))
            #expect(try original.isMounted)
            for host in [host, next] { try await host.shutdown() }
            try await ContainerHost.purge(configuration)
            #expect(try MountTable.points(within: configuration.runtimeDirectory).isEmpty)
        }
    }
}
