import CommandRunner
import FileWork
import FoundationEssentials
import KilnModel
import Synchronization
import Testing
import WorkspaceEngine

@testable import LinuxEngine

extension ContainerTests {
    @Suite(.timeLimit(.minutes(5)))
    struct BuildTests {
        let fixture = ContainerFixture.shared

        @Test func `A build runs as nobody of the host, in the namespace asked for, and its layers are used again`() async throws {
            let host = try await fixture.ready()
            let resolver = "\(host.configuration.runtimeDirectory)/resolv.conf"
            try TrustedFiles.replace(resolver, with: "nameserver 169.254.1.53\n")
            var request = BuildRequest(
                tag: "localhost/kiln/built:1", userRange: .init(firstID: fixture.firstID), networkNamespace: fixture.networkNamespace,
                resolver: resolver)
            request.arguments = [try EnvironmentVariable(key: "WORD", value: "a b")]
            let file = """
                FROM \(ContainerFixture.imageName)
                ARG WORD
                RUN cat /proc/self/uid_map && cat /etc/resolv.conf && wc -l < /proc/net/dev && mkdir /data && echo "$WORD" > /data/word && chown 1000 /data
                COPY file /data/file
                CMD ["cat", "/data/word"]
                """
            let (lines, seconds) = try await build(request, ["Dockerfile": file, "file": "content"], on: host)
            #expect(lines.contains { $0.split(whereSeparator: \.isWhitespace) == ["0", "\(fixture.firstID)", "65536"] })
            #expect(lines.contains("nameserver 169.254.1.53"))
            #expect(lines.contains("3"), "only lo: two head lines and one")
            let (again, secondsAgain) = try await build(request, ["Dockerfile": file, "file": "content"], on: host)
            #expect(again.contains { $0.contains("Using cache") } && !again.contains("nameserver 169.254.1.53"))
            print("build: \(seconds), again: \(secondsAgain)")
            try await fixture.with {
                $0.image = request.tag
                $0.userRange = .init(firstID: fixture.firstID + 65536)
                $0.command = ["sleep", "infinity"]
            } _: { host, id in
                let content = try await host.run(["cat", "/data/word", "/data/file"], in: id).outputText
                #expect(content == "a b\ncontent")
                let owner = try await host.run(["stat", "-c", "%u %g", "/data"], in: id).outputText
                #expect(owner == "1000 0\n")
            }
            let mounts = try MountTable.points(within: host.configuration.temporary)
            let left = try FileManager.default.contentsOfDirectory(atPath: host.configuration.temporary)
            #expect(mounts.isEmpty && left.isEmpty)
        }

        @Test func `A build that fails says why, and leaves nothing`() async throws {
            let host = try await fixture.ready()
            let request = BuildRequest(
                tag: "localhost/kiln/failed:1", userRange: .init(firstID: fixture.firstID), networkNamespace: fixture.networkNamespace)
            let file = "FROM \(ContainerFixture.imageName)\nRUN echo the reason >&2; exit 3\n"
            await #expect { _ = try await build(request, ["Dockerfile": file], on: host) } throws: {
                ($0 as? KilnError)?.code == .buildFailed && "\($0)".contains("the reason")
            }
            #expect(try await !host.hasImage(request.tag))
            await #expect { _ = try await build(request, ["Other": file], on: host) } throws: { ($0 as? KilnError)?.code == .invalidBuildContext }
        }

        @Test(arguments: ["../Dockerfile", "/etc/passwd", "", "--help", "a/../../b"])
        func `A Containerfile outside the context is refused`(_ path: String) throws {
            let error = #expect(throws: KilnError.self) { try ContextScan(containerfile: path) }
            #expect(error?.code == .invalidBuildContext)
        }

        @Test func `A Containerfile that is a link, or behind one, is refused whatever the tar's form and pieces`() async throws {
            let folder = "/tmp/\(fixture.prefix)-scan"
            try TrustedFiles.makeDirectories("\(folder)/real", mode: 0o700)
            try TrustedFiles.replace("\(folder)/real/Dockerfile", with: "FROM x\n")
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/Dockerfile", withDestinationPath: "/etc/shadow")
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/linked", withDestinationPath: "/etc")
            for format in ["ustar", "gnu", "pax"] {
                let tar = try await tar(folder, format: format)
                for size in [1, 511, 1000, tar.count] {
                    func scan(_ containerfile: String) throws -> Bool {
                        var scan = try ContextScan(containerfile: containerfile)
                        for start in stride(from: 0, to: tar.count, by: size) { try scan.append(Array(tar[start..<min(start + size, tar.count)])) }
                        return scan.hasContainerfile
                    }
                    #expect(try scan("real/Dockerfile"))
                    #expect(throws: KilnError.self) { try scan("Dockerfile") }
                    #expect(throws: KilnError.self) { try scan("./linked/passwd") }
                    #expect(try !scan("none"))
                }
            }
            try TrustedFiles.remove(folder)
        }

        @Test func `Short image names mean what Compose users expect`() throws {
            #expect(try ImageReference("postgres:16").qualified == "docker.io/library/postgres:16")
            #expect(try ImageReference("team/api").qualified == "docker.io/team/api")
            #expect(try ImageReference("localhost/kiln/workspace").qualified == "localhost/kiln/workspace")
            #expect(try ImageReference("registry.example.com:5000/a:1").qualified == "registry.example.com:5000/a:1")
        }

        private func build(_ request: BuildRequest, _ files: [String: String], on host: ContainerHost) async throws -> ([String], Duration) {
            let folder = "\(host.configuration.runtimeDirectory)/context"
            try TrustedFiles.remove(folder)
            try TrustedFiles.makeDirectories(folder, mode: 0o700)
            for (name, text) in files { try TrustedFiles.replace("\(folder)/\(name)", with: text) }
            let bytes = try await tar(folder, format: "pax")
            let lines = Mutex<[String]>([])
            let context = ByteStream { continuation in
                for start in stride(from: 0, to: bytes.count, by: 1000) { continuation.yield(Array(bytes[start..<min(start + 1000, bytes.count)])) }
                continuation.finish()
            }
            let took = try await ContinuousClock().measure {
                try await host.build(request, context: context) { line in lines.withLock { $0.append(line) } }
            }
            return (lines.withLock { $0 }, took)
        }

        private func tar(_ folder: String, format: String) async throws -> [UInt8] {
            try await SystemCommandRunner().run(Command("tar", ["-C", folder, "--format", format, "-cf", "-", "."])).output
        }
    }
}
