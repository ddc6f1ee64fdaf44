import Foundation
import KilnModel
import Logging
import NIOPosix
import Testing
import WorkspaceEngine

@testable import KilnAgent

@Suite struct `The workspaces' sockets` {
    private let instance: Instance
    private let logger = Logger(label: "sockets")

    init() throws { instance = try Instance(name: Name("socktest"), slot: 30) }

    private func with(_ body: (String, WorkspaceForwarder) async throws -> Void) async throws {
        var template = Array("/tmp/kiln-sockets-test-XXXXXX".utf8CString)
        #expect(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        chmod(directory, 0o755)
        let forwarder = WorkspaceForwarder(logger: logger)
        let run = Task { await forwarder.run() }
        try await body(directory + "/workspaces", forwarder)
        run.cancel()
        await run.value
    }

    private func sockets(_ directory: String, _ forwarder: WorkspaceForwarder) throws -> WorkspaceSockets {
        try WorkspaceSockets(directory: directory, forwarder: forwarder, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
    }

    private func users(_ index: Int) -> Range<Int> {
        let first = instance.firstUserID(ofRange: index)
        return first..<(first + Instance.rangeSize)
    }

    private func status(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    /// What a user hears who connects; "refused" when nobody listens.
    private func hear(_ path: String, as user: Int) async throws -> String {
        let script = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX); s.settimeout(5)
            try: s.connect(sys.argv[1])
            except OSError: print("refused"); sys.exit()
            try: print(s.recv(12).decode())
            except ConnectionResetError: print()
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        process.arguments = ["--reuid", "\(user)", "--regid", "\(user)", "--clear-groups", "/usr/bin/python3", "-c", script, path]
        let output = Pipe()
        process.standardOutput = output
        return try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { _ in
                continuation.resume(returning: String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
            }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
    }

    @Test func `lie in root's directories, for the workspace's users alone`() async throws {
        try await with { directory, forwarder in
            let sockets = try sockets(directory, forwarder)
            let workspace = ResourceID.random()
            let path = try await sockets.open(workspace, userIDs: users(2))
            #expect(path == "\(directory)/\(workspace)")
            #expect(try await sockets.open(workspace, userIDs: users(2)) == path)
            #expect(status(directory).map { $0.st_mode & 0o7777 } == 0o711)
            #expect(status(path).map { $0.st_mode & 0o7777 } == 0o755 && status(path)?.st_uid == 0)
            #expect(status(path + "/kl.sock").map { $0.st_mode & 0o7777 } == 0o666 && status(path + "/kl.sock")?.st_uid == 0)
            #expect(try await hear(path + "/kl.sock", as: users(2).lowerBound) == "HTTP/1.1 503\n")
            #expect(try await hear(path + "/kl.sock", as: users(2).lowerBound + 1000) == "HTTP/1.1 503\n")
            #expect(try await hear(path + "/kl.sock", as: users(3).lowerBound) == "\n")
            #expect(try await hear(path + "/kl.sock", as: 0) == "\n")
            try await sockets.close(workspace)
            #expect(status(path) == nil)
            #expect(try sockets.workspaces() == [])
            try await sockets.close(workspace)
        }
    }

    @Test func `are there again after a restart, with the same users`() async throws {
        try await with { directory, forwarder in
            let workspace = ResourceID.random()
            let path = try await sockets(directory, forwarder).open(workspace, userIDs: users(5))
            let inode = status(path)?.st_ino
            #expect(mkdir("\(directory)/\(ResourceID.random())", 0o755) == 0)  // Of no range: not served.
            let again = try sockets(directory, forwarder)
            try await again.reopen(for: instance)
            #expect(status(path)?.st_ino == inode, "the directory, which is mounted, was replaced")
            #expect(try await hear(path + "/kl.sock", as: users(5).lowerBound + 7) == "HTTP/1.1 503\n")
            #expect(try await hear(path + "/kl.sock", as: users(4).lowerBound) == "\n")
            // After a reboot there is nothing to purge.
            for _ in 1...2 {
                try WorkspaceSockets.purge(directory)
                #expect(status(directory) == nil)
            }
            try await again.close(workspace)
        }
    }

    @Test func `are not made through a link`() async throws {
        try await with { directory, forwarder in
            let sockets = try sockets(directory, forwarder)
            let workspace = ResourceID.random()
            #expect(symlink("/tmp", "\(directory)/\(workspace)") == 0)
            let error = await #expect(throws: KilnError.self) { try await sockets.open(workspace, userIDs: users(1)) }
            #expect(error?.code == .engineFailed)
        }
    }
}
