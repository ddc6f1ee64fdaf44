import CommandRunner
import FileWork
import FoundationEssentials
import Glibc
import KilnModel
import Testing
import WorkspaceEngine

@testable import LinuxEngine

extension ContainerTests {
    /// What a Compose file says of a service, read back inside a real container.
    @Suite(.timeLimit(.minutes(3)))
    struct SettingsTests {
        let fixture = ContainerFixture.shared

        @Test func `A service's settings hold inside its container`() async throws {
            var settings = ContainerSettings()
            settings.user = try UserReference("1000:1001")
            settings.groups = [try UserReference("2000")]
            settings.workingDirectory = try ContainerPath("/var/tmp")
            settings.droppedCapabilities = [try Capability("ALL")]
            settings.addedCapabilities = [try GrantableCapability("NET_BIND_SERVICE")]
            settings.kernelSettings = [
                try KernelSetting(key: "kernel.shmmax", value: "12345678"), try KernelSetting(key: "fs.mqueue.msg_max", value: "20"),
            ]
            settings.processLimits = [ProcessLimit(kind: .nofile, soft: 500, hard: 600), ProcessLimit(kind: .core, soft: 0, hard: 0)]
            settings.limits = ServiceLimits(milliCPUs: 250, memory: 64 << 20, pids: 33)
            settings.memoryFolders = [MemoryFolder(path: try ContainerPath("/quick"), size: 1 << 20, mode: 0o750)]
            settings.sharedMemory = 2 << 20
            settings.isReadOnly = true
            settings.hasNoNewPrivileges = true
            settings.keepsInputOpen = true
            settings.labels = ["shop.kind": "test"]
            settings.hasInit = false
            let made = settings
            try await fixture.with {
                $0.apply(made)
                $0.labels = made.labels
            } _: { host, id in
                func run(_ script: String) async throws -> String {
                    let result = try await host.run(["sh", "-c", script], in: id)
                    return (result.outputText + result.errorText).trimmed
                }
                // The runtime's start returns a moment before its process has become the service's.
                let program = "for i in $(seq 50); do tr '\\0' ' ' < /proc/1/cmdline | grep sleep && break; sleep 0.1; done"
                #expect(try await run(program) == "sleep infinity")
                let status = try await run("cat /proc/1/status")
                let fields = Dictionary(
                    status.split(separator: "\n").compactMap { line in
                        line.firstIndex(of: ":").map { (String(line[..<$0]), String(line[line.index(after: $0)...]).trimmed) }
                    }
                ) { first, _ in first }
                #expect(fields["Uid"]?.hasPrefix("1000\t") == true && fields["Gid"]?.hasPrefix("1001\t") == true)
                #expect(fields["Groups"]?.split(separator: " ").contains("2000") == true, "\(fields["Groups"] ?? "")")
                #expect(fields["NoNewPrivs"] == "1")
                // CAP_NET_BIND_SERVICE is the tenth of capability.h.
                #expect(fields["CapBnd"] == "0000000000000400")
                #expect(try await run("pwd") == "/var/tmp")
                #expect(try await run("cat /proc/sys/kernel/shmmax /proc/sys/fs/mqueue/msg_max") == "12345678\n20")
                let limits = try await run("cat /proc/1/limits").split(separator: "\n")
                let files = try #require(limits.first { $0.hasPrefix("Max open files") })
                #expect(files.split(separator: " ").dropFirst(3).prefix(2) == ["500", "600"])
                let core = try #require(limits.first { $0.hasPrefix("Max core file size") })
                #expect(core.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
                let usage = try host.stats(id)
                #expect(usage.milliCPULimit == 250 && usage.memoryLimit == 64 << 20 && usage.processLimit == 33)
                let mounts = try await run("cat /proc/self/mounts").split(separator: "\n").map { $0.split(separator: " ") }
                let root = try #require(mounts.first { $0[1] == "/" })
                #expect(root[3].split(separator: ",").contains("ro"))
                let quick = try #require(mounts.first { $0[1] == "/quick" })
                #expect(quick[2] == "tmpfs" && quick[3].contains("size=1024k") && quick[3].contains("mode=750"), "\(quick)")
                let shared = try #require(mounts.first { $0[1] == "/dev/shm" })
                #expect(shared[3].contains("size=2048k"), "\(shared)")
                #expect(try await run("touch /etc/x").contains("Read-only"))
                #expect(try await host.inspect(id)?.labels["shop.kind"] == "test")
            }
        }

        @Test func `Copies, texts and secrets are where a service asked for them, and secrets are in memory only`() async throws {
            let host = try await fixture.ready()
            let runtime = "\(host.configuration.runtimeDirectory)/service"
            let state = "\(host.configuration.stateDirectory)/service"
            for folder in [runtime, state] { try TrustedFiles.makeDirectory(folder, mode: 0o700) }
            let files = ServiceFiles(folders: FolderStore(stateDirectory: state, runner: SystemCommandRunner()), runtimeDirectory: runtime)
            let (environment, secret) = (ResourceID.random(), try SecretName("db_password"))

            var folder = Tar()
            folder.add("site", type: "5", mode: 0o755)
            folder.add("site/index.html", content: "<h1>hello</h1>")
            var file = Tar()
            file.add(FileCopy.memberName, mode: 0o755, content: "#!/bin/sh\necho started\n")
            let (site, script) = (try folder.copy(.folder, origin: "web"), try file.copy(.file, origin: "run.sh"))
            var service = try Service(name: Name("web"), addressIndex: 1, image: .reference(ImageReference(ContainerFixture.imageName)))
            service.files = [
                FileMount(source: .copy(site), path: try ContainerPath("/srv/web"), readOnly: true),
                FileMount(source: .copy(script), path: try ContainerPath("/usr/local/bin/run.sh")),
                FileMount(source: .text("a = 1\n"), path: try ContainerPath("/etc/app.conf"), readOnly: true, mode: 0o440, user: 1000, group: 1000),
                FileMount(source: .secret(secret), path: try ContainerPath("/run/secrets/db_password"), readOnly: true),
            ]
            service.secretVariables = [
                try SecretVariable(key: "URL", value: SecretTemplate(pieces: [.text("db://me:"), .secret(secret), .text("@db")]))
            ]
            let target = EnvironmentTarget(
                id: environment, name: try Name("shop"), rangeIndex: 0, volumeSet: environment, state: .running, services: [service],
                uplink: AddressPlan.environment(1), secrets: [SecretValue(name: secret, version: 1, value: try SecretBytes(Array("pa ss\n".utf8)))])

            #expect(throws: KilnError.self) { try files.mounts(for: service, in: target, container: "c", firstID: fixture.firstID) }
            try await files.folders.store(site, of: environment, firstID: fixture.firstID, tar: folder.stream())
            try await files.folders.store(script, of: environment, firstID: fixture.firstID, tar: file.stream())
            let name = "files-\(environment)"
            let mounts = try files.mounts(for: service, in: target, container: name, firstID: fixture.firstID)
            let variables = try service.variables(in: target)
            try await fixture.with {
                $0.mounts = mounts
                $0.variables = variables
            } _: { host, id in
                func run(_ script: String, user: Int? = nil) async throws -> String {
                    let result = try await host.run(["sh", "-c", script], in: id, user: user.map { .init(uid: $0, gid: $0) })
                    return result.outputText + result.errorText
                }
                #expect(try await run("cat /srv/web/site/index.html", user: 33) == "<h1>hello</h1>")
                #expect(try await run("touch /srv/web/x").contains("Read-only"))
                #expect(try await run("run.sh") == "started\n")
                #expect(try await run("stat -c '%a %u %g' /etc/app.conf; cat /etc/app.conf", user: 1000) == "440 1000 1000\na = 1\n")
                #expect(try await run("cat /etc/app.conf", user: 1001).contains("denied"))
                // Any user of the service's may read a secret, none may write it.
                #expect(try await run("stat -c '%a %u' /run/secrets/db_password; cat /run/secrets/db_password", user: 1001) == "444 0\npa ss\n")
                #expect(try await run("echo x > /run/secrets/db_password").contains("Read-only"))
                #expect(try await run("stat -f -c %T /run/secrets/db_password") == "tmpfs\n")
                let line = try await run("grep ' /run/secrets/db_password ' /proc/self/mounts")
                #expect(line.contains("nosuid") && line.contains("nodev") && line.contains("ro,"), "\(line)")
                #expect(try await run("printenv URL") == "db://me:pa ss\n@db\n")
            }
            #expect(TrustedFiles.exists("\(files.secretsMount.path)/\(name)"))
            try files.remove(of: name)
            #expect(!TrustedFiles.exists("\(files.secretsMount.path)/\(name)"))
            try files.secretsMount.remove()
            #expect(!TrustedFiles.exists(files.secretsMount.path))
            for folder in [runtime, state] { try await SystemCommandRunner().succeed("rm", ["-rf", folder]) }
        }

        /// Done when the program of a container says that it handles its signal.
        private func listens(_ host: ContainerHost, _ id: String) async throws {
            let deadline = ContinuousClock.now + .seconds(20)
            while try await host.run(["test", "-e", "/tmp/ready"], in: id).status != 0 {
                try #require(ContinuousClock.now < deadline)
                try await Task.sleep(for: .milliseconds(50))
            }
        }

        @Test func `A service is stopped by its own signal, within its own grace`() async throws {
            var settings = ContainerSettings()
            settings.stopSignal = try StopSignal("SIGUSR1")
            settings.stopGracePeriod = 30
            let patient = settings
            // Longer than the ten seconds that others get, yet it ends by itself.
            try await fixture.with {
                $0.command = [
                    "python3", "-c",
                    "import signal, time, os\nsignal.signal(signal.SIGUSR1, lambda *_: (time.sleep(12), os._exit(7)))\nopen('/tmp/ready', 'w')\nwhile True: time.sleep(1)",
                ]
                $0.apply(patient)
            } _: { host, id in
                try await listens(host, id)
                try await host.stop(id)
                #expect(try await host.inspect(id)?.exitStatus == 7)
            }
            // One that does not listen is killed when its grace is over.
            settings.stopGracePeriod = 1
            let hasty = settings
            try await fixture.with {
                $0.command = [
                    "python3", "-c",
                    "import signal, time\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\nopen('/tmp/ready', 'w')\nwhile True: time.sleep(1)",
                ]
                $0.apply(hasty)
            } _: { host, id in
                try await listens(host, id)
                try await host.stop(id)
                #expect(try await host.inspect(id)?.exitStatus == 137)
            }
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
}
