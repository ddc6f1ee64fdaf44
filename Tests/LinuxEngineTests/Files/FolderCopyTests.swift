import CommandRunner
import FileWork
import Glibc
import KilnModel
import Testing

@testable import LinuxEngine

/// Unpacking as root what a user packed, on the real file system.
@Suite(.timeLimit(.minutes(1)))
struct FolderCopyTests {
    private let environment = ResourceID.random()
    private let firstID = 0x5100_0000

    /// A store in a folder of its own, removed afterwards.
    private func withStore(_ body: (FolderStore) async throws -> Void) async throws {
        let folder = "/var/tmp/kcopy-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try TrustedFiles.makeDirectory(folder, mode: 0o700)
        let runner = SystemCommandRunner()
        do {
            try await body(FolderStore(stateDirectory: folder, runner: runner))
        } catch {
            try await runner.succeed("rm", ["-rf", folder])
            throw error
        }
        try await runner.succeed("rm", ["-rf", folder])
    }

    private func status(_ path: String) -> stat {
        var status = stat()
        #expect(lstat(path, &status) == 0, "\(path)")
        return status
    }

    @Test func `A folder comes out as it was packed, belongs to the range and loses its setuid bits`() async throws {
        try await withStore { store in
            var tar = Tar()
            tar.add("deep", type: "5", mode: 0o750)
            tar.add("deep/run.sh", mode: 0o4755, content: "echo run")
            tar.add("link", type: "2", target: "deep/run.sh")
            let copy = try tar.copy(.folder)
            #expect(!store.hasCopy(copy, of: environment))
            try await store.store(copy, of: environment, firstID: firstID, tar: tar.stream())
            try await store.store(copy, of: environment, firstID: firstID, tar: tar.stream())
            let path = store.path(of: copy, in: environment)
            #expect(try TrustedFiles.readText("\(path)/deep/run.sh") == "echo run")
            #expect(status("\(path)/deep").st_mode & 0o7777 == 0o750)
            #expect(status("\(path)/deep/run.sh").st_mode & 0o7777 == 0o755)
            #expect(status("\(path)/link").st_mode & S_IFMT == S_IFLNK)
            for item in ["", "/deep", "/deep/run.sh", "/link"] {
                #expect(Int(status(path + item).st_uid) == firstID && Int(status(path + item).st_gid) == firstID)
            }
            try await store.pruneFiles(of: environment, keeping: [])
            #expect(!store.hasCopy(copy, of: environment))
            try await store.removeFiles(of: environment)
            #expect(try store.environmentsWithFiles().isEmpty)
        }
    }

    @Test func `A folder has the owner and the mode that are asked for, beside the copy as it was packed`() async throws {
        try await withStore { store in
            var tar = Tar()
            tar.add("deep", type: "5", mode: 0o700)
            tar.add("deep/key", mode: 0o644, content: "key")
            let plain = try tar.copy(.folder)
            var owned = plain
            owned.access = .init(mode: 0o440, user: 33, group: 44)
            for copy in [plain, owned] { try await store.store(copy, of: environment, firstID: firstID, tar: tar.stream()) }
            let path = store.path(of: owned, in: environment)
            #expect(path != store.path(of: plain, in: environment))
            for (item, mode) in [("", 0o550), ("/deep", 0o550), ("/deep/key", 0o440)] as [(String, mode_t)] {
                let found = status(path + item)
                #expect(found.st_mode & 0o7777 == mode, "\(item)")
                #expect(Int(found.st_uid) == firstID + 33 && Int(found.st_gid) == firstID + 44, "\(item)")
            }
            #expect(status(store.path(of: plain, in: environment) + "/deep/key").st_mode & 0o7777 == 0o644)
            owned.access = .init(mode: nil, user: Instance.rangeSize, group: nil)
            await #expect(throws: KilnError.self) { try await store.store(owned, of: environment, firstID: firstID, tar: tar.stream()) }
        }
    }

    @Test func `A volume that many make at once is one`() async throws {
        try await withStore { store in
            for round in 0..<20 {
                let volume = try VolumeName("v\(round)")
                let (environment, firstID) = (environment, firstID)
                let inodes = try await withThrowingTaskGroup(of: UInt64?.self) { group in
                    for _ in 0..<8 {
                        group.addTask { TrustedFiles.inode(try store.ensureVolume(volume, of: environment, firstID: firstID)) }
                    }
                    return try await group.reduce(into: Set<UInt64?>()) { $0.insert($1) }
                }
                #expect(inodes.count == 1)
            }
        }
    }

    @Test func `A folder in memory that many ask for at once is mounted once`() async throws {
        let memory = MemoryMount(path: "/run/kmem-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<16 { group.addTask { try memory.ensure() } }
            try await group.waitForAll()
        }
        #expect(try MountTable.current().filter { $0.point == memory.path }.count == 1)
        try memory.remove()
    }

    @Test(arguments: [
        "a path that climbs", "an absolute path", "a hard link", "a device", "a link that leads out", "an absolute link", "a file behind a link",
        "a file twice",
        "a link replaced by a folder",
    ])
    func `Root unpacks nothing outside the folder, nor what no service may have`(_ what: String) async throws {
        try await withStore { store in
            let outside = "\(store.stateDirectory)/outside"
            try TrustedFiles.makeDirectory(outside, mode: 0o755)
            var tar = Tar()
            switch what {
            case "a path that climbs": tar.add("../../../../outside/x", content: "x")
            case "an absolute path": tar.add("\(outside)/x", content: "x")
            case "a hard link": tar.add("x", type: "1", target: "/etc/shadow")
            case "a device": tar.add("x", type: "3")
            case "a link that leads out": tar.add("x", type: "2", target: "a/../../outside")
            case "an absolute link": tar.add("x", type: "2", target: outside)
            case "a file behind a link":
                tar.add("real", type: "5", mode: 0o755)
                tar.add("link", type: "2", target: "real")
                tar.add("link/x", content: "x")
            case "a file twice":
                tar.add("x", content: "1")
                tar.add("x", content: "2")
            default:
                tar.add("x", type: "2", target: "y")
                tar.add("x", type: "5", mode: 0o777)
            }
            let copy = try tar.copy(.folder)
            await #expect { try await store.store(copy, of: environment, firstID: firstID, tar: tar.stream()) } throws: {
                ($0 as? KilnError)?.code == .invalidBuildContext
            }
            #expect(try TrustedFiles.list(outside).isEmpty)
            #expect(!store.hasCopy(copy, of: environment))
            #expect(try TrustedFiles.list("\(store.stateDirectory)/environments/\(environment)/files").isEmpty)
        }
    }

    @Test func `A tar that is cut off, is another than promised or is no single file is not kept`() async throws {
        try await withStore { store in
            var tar = Tar()
            tar.add(FileCopy.memberName, content: "one")
            let copy = try tar.copy(.file)
            var other = Tar()
            other.add(FileCopy.memberName, content: "two")
            var many = tar
            many.add("more", content: "x")
            for (wrong, promised) in [(other, copy), (many, try many.copy(.file)), (Tar(), try Tar().copy(.file))] {
                await #expect(throws: KilnError.self) { try await store.store(promised, of: environment, firstID: firstID, tar: wrong.stream()) }
                #expect(!store.hasCopy(promised, of: environment))
            }
            try await store.store(copy, of: environment, firstID: firstID, tar: tar.stream())
            #expect(try TrustedFiles.readText(store.path(of: copy, in: environment)) == "one")
        }
    }
}
