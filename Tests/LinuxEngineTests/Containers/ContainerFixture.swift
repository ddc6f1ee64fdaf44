import CommandRunner
import Dispatch
import FoundationEssentials
import Glibc
import KilnModel
import Logging
import Testing

@testable import LinuxEngine

/// Tests of containers, one after the other: they share one Podman, and some kill it.
@Suite(.serialized) enum ContainerTests {}

/// One Podman of Kiln's with roots, cgroup and network namespace of its own, made once for all suites of this folder; the image is imported
/// into it. Its service runs for one `with` at a time.
actor ContainerFixture {
    static let shared = ContainerFixture()

    static let imageName = "localhost/kiln/test:latest"
    let prefix = "kpod-\(String(UInt16.random(in: 0 ... .max), radix: 16))"
    nonisolated let firstID = 0x5000_0000
    private var host: Task<ContainerHost, any Error>?

    nonisolated var configuration: ContainerHost.Configuration {
        .init(stateDirectory: "/var/tmp/\(prefix)", runtimeDirectory: "/run/\(prefix)", instancePrefix: prefix)
    }
    nonisolated var networkNamespace: String { "/run/netns/\(prefix)" }

    /// The prepared host, its service running.
    func ready() async throws -> ContainerHost {
        if let host { return try await host.value }
        let task = Task { try await self.prepare() }
        host = task
        return try await task.value
    }

    private func prepare() async throws -> ContainerHost {
        let image = try #require(getenv("KILN_TEST_IMAGE_TAR"), "KILN_TEST_IMAGE_TAR must name the tar of a root filesystem")
        let runner = SystemCommandRunner()
        try await runner.succeed("ip", ["netns", "add", prefix])
        for setting in ["net.ipv4.ip_unprivileged_port_start=0", "net.ipv4.ping_group_range=0 2147483647"] {
            try await runner.succeed("ip", ["netns", "exec", prefix, "sysctl", "-qw", setting])
        }
        try await runner.succeed("ip", ["-n", prefix, "link", "set", "lo", "up"])
        atexit { CleanUp.run() }
        CleanUp.prefix = prefix
        var logger = Logger(label: "test")
        logger.logLevel = .warning
        let host = try await ContainerHost.prepare(configuration, logger: logger)
        CleanUp.supervisor = Task { try await host.run() }
        try await host.client.ping(timeout: .seconds(30))
        let tar = FileChunks(path: String(cString: image))
        try await host.importImage(tar, name: Self.imageName)
        try host.sysfs("test").mount(networkNamespace: networkNamespace)
        return host
    }

    /// Makes and starts a container, hands it over, and removes it.
    func with<Result: Sendable>(
        _ change: (inout ContainerSpec) -> Void = { _ in }, _ body: @Sendable (ContainerHost, String) async throws -> Result
    ) async throws -> Result {
        let host = try await ready()
        let id = try await host.create(spec(host, change))
        let result: Result
        do {
            try await host.start(id)
            result = try await body(host, id)
        } catch {
            try await host.remove(id)
            throw error
        }
        try await host.remove(id)
        return result
    }

    nonisolated func spec(_ host: ContainerHost, _ change: (inout ContainerSpec) -> Void = { _ in }) throws -> ContainerSpec {
        var spec = ContainerSpec(
            name: "\(prefix)-\(String(UInt64.random(in: 0 ... .max), radix: 36))", image: Self.imageName, hostname: "hello",
            userRange: .init(firstID: firstID), networkNamespace: networkNamespace, sysfs: try host.sysfs("test").path)
        spec.command = ["sleep", "infinity"]
        change(&spec)
        return spec
    }
}

/// Removes what the fixture made when the test process ends.
private enum CleanUp {
    nonisolated(unsafe) static var prefix = ""
    nonisolated(unsafe) static var supervisor: Task<Void, any Error>?

    static func run() {
        let done = DispatchSemaphoreBox()
        let (prefix, supervisor) = (self.prefix, self.supervisor)
        Task.detached {
            supervisor?.cancel()
            _ = await supervisor?.result
            let configuration = ContainerHost.Configuration(
                stateDirectory: "/var/tmp/\(prefix)", runtimeDirectory: "/run/\(prefix)", instancePrefix: prefix)
            do {
                try await ContainerHost.purge(configuration)
                try await SystemCommandRunner().succeed("ip", ["netns", "del", prefix])
            } catch {
                print("The test's leftovers could not be removed: \(error)")
            }
            done.signal()
        }
        done.wait()
    }
}

private final class DispatchSemaphoreBox: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func signal() { semaphore.signal() }
    func wait() { semaphore.wait() }
}

/// A file, a piece at a time.
struct FileChunks: AsyncSequence, Sendable {
    var path: String

    struct Iterator: AsyncIteratorProtocol {
        let descriptor: Descriptor
        mutating func next() async throws -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: 1 << 18)
            let count = Glibc.read(descriptor.number, &bytes, bytes.count)
            guard count >= 0 else { throw KilnError(.internalError, "read: \(errno)") }
            return count == 0 ? nil : Array(bytes.prefix(count))
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(descriptor: Descriptor(owning: open(path, O_RDONLY | O_CLOEXEC))) }
}
