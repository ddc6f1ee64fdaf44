import Foundation
import Synchronization
import Testing

/// A whole Kiln of its own: both daemons from the release build, under a name and slot that nobody else has, driven by the real `kl`.
///
/// kilnd runs as an unprivileged user in a mount namespace in which nothing of the agent's is visible but their one socket.
final class TestInstance: Sendable {
    let name: String
    let slot: Int
    let port: Int
    private let home: URL
    private static let slots = Mutex(Int.random(in: 8...30))

    var prefix: String { "kiln-\(name)" }
    var stateDirectory: String { "/var/lib/\(prefix)" }
    var runtimeDirectory: String { "/run/\(prefix)" }
    private var packagesFile: String { "\(stateDirectory)/packages.json" }
    private var debianBuilder: String { "\(stateDirectory)/debian" }
    /// Copies of the release build: the folder of a checkout may be closed to kilnd's user.
    private var binaries: String { "\(stateDirectory)/bin" }
    var podmanSocket: String { "\(runtimeDirectory)/podman/podman.sock" }

    private static func required(_ variable: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[variable], !value.isEmpty else {
            throw Program.Failure(description: "\(variable) is not set; run the suite by make test")
        }
        return value
    }

    init() throws {
        name = "t" + String(UInt16.random(in: 0...UInt16.max), radix: 16)
        // Two that live at the same time must not get the same one.
        slot = Self.slots.withLock { slot in
            slot = slot == 30 ? 8 : slot + 1
            return slot
        }
        port = Int.random(in: 20000...29999)
        home = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-home-\(name)")
    }

    /// Starts both daemons, signs in, makes the workmachine `local`, runs `body`, and removes every trace.
    static func with<Result>(_ body: (TestInstance) async throws -> Result) async throws -> Result {
        let instance = try TestInstance()
        do {
            try await instance.install()
            let result = try await body(instance)
            try await instance.purge()
            return result
        } catch {
            print("\(error)\n\(instance.lastLogLines())")
            try await instance.purge()
            throw error
        }
    }

    private func install() async throws {
        try makeDirectories(
            [("", 0o755, false), ("/kilnd", 0o700, true), ("/tools", 0o755, false), ("/images", 0o755, false), ("/bin", 0o755, false)], stateDirectory
        )
        try makeRuntimeDirectories()
        let built = try Self.required("KILN_TEST_BIN")
        for program in ["kilnd", "kiln-agent", "kl"] {
            try FileManager.default.copyItem(atPath: "\(built)/\(program)", toPath: "\(binaries)/\(program)")
        }
        try FileManager.default.copyItem(atPath: "\(binaries)/kl", toPath: "\(stateDirectory)/tools/kl")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        // The garbage of a collection is the whole host's: little of it has to be waited for.
        let packages = #"{"sources": [{"name": "debian", "type": "debian", "suites": ["bookworm", "trixie"]}], "limits": {"collectionSeconds": 5}}"#
        try Data(packages.utf8).write(to: URL(fileURLWithPath: packagesFile))
        try await Program.check(file("../../scripts/debian-builder"), [debianBuilder])
        try await startServer()
        try await startAgent()
        let token = try await server(["token", "create", "--owner", "tester", "--admin"] + locations).trimmingCharacters(in: .whitespacesAndNewlines)
        let configuration = home.appendingPathComponent(".config/kiln/config.json")
        try FileManager.default.createDirectory(at: configuration.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(#"{"url":"http://127.0.0.1:\#(port)","token":"\#(token)"}"#.utf8).write(to: configuration)
        chmod(configuration.path, 0o600)
        try await waitUntil("kilnd and the agent are ready", within: 120) {
            try await Program.run("/usr/bin/curl", ["-sf", "http://127.0.0.1:\(self.port)/readyz"]).status == 0
        }
        try await kl("machine", "create", "local")
    }

    /// What lies below `/run` before the daemons start.
    func makeRuntimeDirectories() throws {
        try makeDirectories([("", 0o755, false), ("/agent", 0o700, true)], runtimeDirectory)
    }

    private func makeDirectories(_ directories: [(name: String, mode: UInt32, isServers: Bool)], _ parent: String) throws {
        for directory in directories {
            let path = parent + directory.name
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            chmod(path, directory.mode)
            if directory.isServers { chown(path, 65534, 65534) }
        }
    }

    private var locations: [String] {
        ["--instance", name, "--slot", "\(slot)", "--state-directory", stateDirectory, "--runtime-directory", runtimeDirectory]
    }

    /// kilnd's command line, run as its user.
    private func server(_ arguments: [String]) async throws -> String {
        try await Program.check("/usr/bin/setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", "\(binaries)/kilnd"] + arguments)
    }

    // MARK: Daemons

    func startServer() async throws {
        // What the agent owns is hidden behind empty directories: were kilnd to need any of it, it would fail here.
        let hide = """
            for d in \(stateDirectory)/podman \(stateDirectory)/machines \(stateDirectory)/environments \(runtimeDirectory)/podman /run/netns; do
              mkdir -p "$d"; mount -t tmpfs none "$d"; done
            exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$0" "$@"
            """
        try await daemon(
            "kilnd", "/usr/bin/unshare",
            ["--mount", "--propagation", "private", "/bin/sh", "-c", hide, "\(binaries)/kilnd", "run"]
                + locations + ["--port", "\(port)"])
    }

    /// - Parameter timeZone: that of the agent (`TZ`, tzset(3)).
    func startAgent(timeZone: String = "UTC") async throws {
        let image = try Self.required("KILN_TEST_IMAGE_TAR")
        try await daemon(
            "kiln-agent", "/usr/bin/env",
            [
                "TZ=\(timeZone)", "\(binaries)/kiln-agent", "run", "--instance", name, "--slot", "\(slot)", "--peer-user", "nobody",
                "--state-directory", stateDirectory, "--runtime-directory",
                runtimeDirectory, "--tools-directory", "\(stateDirectory)/tools", "--base-image", image, "--packages-file", packagesFile,
                "--debian-builder", debianBuilder,
            ])
    }

    private func daemon(_ title: String, _ path: String, _ arguments: [String]) async throws {
        try await Program.start(path, arguments, log: "\(runtimeDirectory)/\(title).log")
    }

    /// Ends a daemon the hard way and returns when it is gone. What it left running stays. One that had ended by itself is an issue.
    func kill(_ title: String) async throws {
        // Podman's service may be between two lives.
        if title != "podman" { #expect(try await !processes(title).isEmpty, "\(title) had ended by itself.\n\(lastLogLines())") }
        try await end(title)
    }

    private func end(_ title: String) async throws {
        let pids = try await processes(title)
        for pid in pids { Foundation.kill(pid, SIGKILL) }
        try await waitUntil("\(title) is gone", within: 10) { try await self.processes(title).allSatisfy { !pids.contains($0) } }
    }

    /// Ids of the processes of `kilnd`, `kiln-agent` or `podman` of this instance.
    func processes(_ title: String) async throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init).filter { pid in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
            let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard let program = words.first, program.hasSuffix("/\(title)") || program == title else { return false }
            return title == "podman" ? words.contains("service") && words.contains { $0.contains(prefix) } : words.contains(name)
        }
    }

    // MARK: kl

    /// The environment by which `kl` finds this instance.
    var environment: [String: String] { ["HOME": home.path] }

    func command(_ arguments: String...) -> [String] { command(arguments) }

    func command(_ arguments: [String]) -> [String] { ["\(binaries)/kl"] + arguments }

    /// A file below `examples`.
    func example(_ path: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../examples/\(path)").standardized.path
    }

    /// A file beside these tests.
    func file(_ path: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(path).path
    }

    /// Runs `kl` outside any workspace and throws unless it ends with 0.
    @discardableResult
    func kl(_ arguments: String..., input: String? = nil) async throws -> String {
        try await Program.check("\(binaries)/kl", arguments, input: input, environment: environment)
    }

    /// Runs `kl` and returns how it ended.
    func tryKl(_ arguments: String..., input: String? = nil) async throws -> Program.Result { try await tryKl(arguments, input: input) }

    func tryKl(_ arguments: [String], input: String? = nil) async throws -> Program.Result {
        try await Program.run("\(binaries)/kl", arguments, input: input, environment: environment)
    }

    /// Sends a request as no client of ours would, with the token of `kl`.
    func api(
        _ method: String, _ path: String, _ body: String = "", headers: [String] = []
    ) async throws -> (status: Int, head: String, body: String) {
        let configuration = try JSONSerialization.jsonObject(with: Data(contentsOf: home.appendingPathComponent(".config/kiln/config.json")))
        let token = (configuration as? [String: String])?["token"] ?? ""
        let fields = (headers + ["Authorization: Bearer \(token)"]).flatMap { ["-H", $0] }
        let text = try await Program.check(
            "/usr/bin/curl", ["-sS", "-i", "-m", "30", "-X", method, "--data-binary", "@-"] + fields + ["http://127.0.0.1:\(port)/api/v1\(path)"],
            input: body)
        let parts = text.components(separatedBy: "\r\n\r\n")
        let status = Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0
        return (status, parts[0].lowercased(), parts.dropFirst().joined(separator: "\r\n\r\n"))
    }

    /// Runs a shell text as `dev` in a workspace.
    func inside(_ workspace: String, _ script: String) async throws -> Program.Result {
        try await tryKl("ws", "exec", workspace, "--", "bash", "-c", script)
    }

    func json(_ arguments: String...) async throws -> [String: Any] {
        let text = try await Program.check("\(binaries)/kl", arguments + ["--json"], environment: environment)
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    }

    /// The id of a resource: `ws`, `env` or `machine`.
    func id(_ kind: String, _ name: String) async throws -> String {
        let metadata = try await json(kind, "show", name)["metadata"] as? [String: Any]
        guard let id = metadata?["id"] as? String else { throw Program.Failure(description: "\(kind) \(name) has no id") }
        return id
    }

    // MARK: Traces

    /// Everything on the host that carries this instance's name, one line each: containers, namespaces, mounts, links, tables, processes, folders.
    func traces() async throws -> Set<String> {
        var found: Set<String> = []
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/run/netns") where entry.hasPrefix(prefix + "-") {
            found.insert("netns \(entry)")
        }
        for line in try Program.text("/proc/self/mountinfo").split(separator: "\n") {
            let path = line.split(separator: " ")[4]
            if path.contains("/\(prefix)/") || path.contains("/\(prefix)-") { found.insert("mount \(path)") }
        }
        for line in try await Program.check("/usr/sbin/ip", ["-o", "link"]).split(separator: "\n") where line.contains("\(prefix)0") {
            found.insert("link \(line)")
        }
        for line in try await Program.check("/usr/sbin/nft", ["list", "tables"]).split(separator: "\n") where line.hasSuffix(" \(prefix)") {
            found.insert(String(line))
        }
        for pid in try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init) {
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { continue }
            let line = String(decoding: data, as: UTF8.self).replacingOccurrences(of: "\0", with: " ")
            if line.contains("\(prefix)/") || line.contains("\(prefix)-") { found.insert("process \(line)") }
        }
        for parent in ["/var/lib", "/run", "/nix/var/nix/gcroots"] where FileManager.default.fileExists(atPath: "\(parent)/\(prefix)") {
            found.insert("folder \(parent)/\(prefix)")
        }
        return found
    }

    func purge() async throws {
        for title in ["kilnd", "kiln-agent"] { try await end(title) }
        try await Program.check(
            "\(binaries)/kiln-agent",
            ["purge", "--instance", name, "--slot", "\(slot)", "--state-directory", stateDirectory, "--runtime-directory", runtimeDirectory])
        for path in [stateDirectory, runtimeDirectory, home.path] where FileManager.default.fileExists(atPath: path) {
            try FileManager.default.removeItem(atPath: path)
        }
    }

    /// What the daemons said last.
    func lastLogLines() -> String {
        ["kilnd", "kiln-agent"].map { title in
            let text = (try? String(contentsOfFile: "\(runtimeDirectory)/\(title).log", encoding: .utf8)) ?? ""
            return "--- \(title)\n" + text.split(separator: "\n").suffix(30).joined(separator: "\n") + "\n"
        }.joined()
    }
}

/// Waits for a condition of the outside world that sends no event; throws when `seconds` have passed.
func waitUntil(_ what: String, within seconds: Double, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw Program.Failure(description: "after \(seconds) s: not so that \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
