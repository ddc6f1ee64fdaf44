import CommandRunner
import Foundation
import KilnModel
import Testing

@testable import LinuxEngine

@Suite("Paths of the store that files of a home name")
struct HomeScanTests {
    private static let user = 0x1000_03e8

    private func path(_ digit: Character) -> String { "\(StorePath.store)/\(String(repeating: digit, count: 32))-tool-1.0" }

    /// A home as they are: its user's, below a folder that only root may enter.
    private func withHome(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-scan-\(UInt32.random(in: 0...UInt32.max))").path
        let home = "\(folder)/home"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        chmod(folder, 0o700)
        chown(home, uid_t(Self.user), gid_t(Self.user))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(home)
    }

    private func write(_ text: String, to path: String, mode: mode_t = 0o644, user: Int = Self.user) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, mode)
        chown(path, uid_t(user), gid_t(user))
    }

    @Test("Links, programs and venvs count; what cannot run does not")
    func named() async throws {
        try await withHome { home in
            try FileManager.default.createDirectory(atPath: "\(home)/a b", withIntermediateDirectories: true)
            symlink("\(path("a"))/bin/tool", "\(home)/a b/link")
            try write("#!\(path("b"))/bin/sh\n", to: "\(home)/a b/script", mode: 0o755)
            try write("\u{7f}ELF\0\0\(path("c"))/lib\0junk \(path("d"))", to: "\(home)/program", mode: 0o755)
            try write("home = \(path("f"))/bin\n", to: "\(home)/pyvenv.cfg")
            try write("\(path("g"))\n", to: "\(home)/log")
            symlink(path("h"), "\(home)/$(touch x); -delete")
            let found = try await HomeScan(runner: SystemCommandRunner()).storePaths(named: home, userID: Self.user)
            #expect(Set(found.map(\.value)) == Set(["a", "b", "c", "d", "f", "h"].map { path($0) }))
            #expect(FileManager.default.fileExists(atPath: "\(home)/program"))
        }
    }

    @Test("Nothing outside is read, by no link, and nothing that its user may not read")
    func confined() async throws {
        try await withHome { home in
            let outside = home + "-outside"
            try write("#!\(path("a"))/bin/sh\n", to: outside, mode: 0o755)
            symlink(outside, "\(home)/file")
            symlink("/", "\(home)/root")
            try write("#!\(path("b"))/bin/sh\n", to: "\(home)/private", mode: 0o700, user: 0)
            #expect(try await HomeScan(runner: SystemCommandRunner()).storePaths(named: home, userID: Self.user) == [])
        }
    }

    @Test("A home that is not there names nothing")
    func missing() async throws {
        #expect(try await HomeScan(runner: SystemCommandRunner()).storePaths(named: "/nonexistent/home", userID: Self.user) == [])
    }
}
