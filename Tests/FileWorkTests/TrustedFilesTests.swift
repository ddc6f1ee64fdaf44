import FileWork
import Glibc
import KilnModel
import Testing

@Suite struct TrustedFilesTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/kiln-files-\(UInt32.random(in: 0...UInt32.max))"
        try TrustedFiles.makeDirectory(folder, mode: 0o700)
        defer { #expect(throws: Never.self) { try TrustedFiles.remove(folder) } }
        try body(folder)
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test func `directories are made with the mode that is asked for, parents only where they are`() throws {
        try withFolder { folder in
            #expect(throws: KilnError.self) { try TrustedFiles.makeDirectory("\(folder)/a/b", mode: 0o777) }
            try TrustedFiles.makeDirectories("\(folder)/a/b/c", mode: 0o777)
            try TrustedFiles.makeDirectories("\(folder)/a/b/c", mode: 0o700)
            #expect([mode("\(folder)/a"), mode("\(folder)/a/b"), mode("\(folder)/a/b/c")] == [0o755, 0o755, 0o777])
        }
    }

    @Test func `a file is replaced whole, and left alone by an update to the same`() throws {
        try withFolder { folder in
            let file = "\(folder)/file"
            #expect(try TrustedFiles.read(file) == nil)
            try TrustedFiles.replace(file, with: "one", mode: 0o604)
            #expect(try TrustedFiles.readText(file) == "one" && mode(file) == 0o604)
            let first = try #require(TrustedFiles.inode(file))
            #expect(try !TrustedFiles.update(file, with: "one", mode: 0o604) && TrustedFiles.inode(file) == first)
            #expect(try TrustedFiles.update(file, with: "two", mode: 0o600) && mode(file) == 0o600)
            let second = TrustedFiles.inode(file)
            try TrustedFiles.replace(file, with: "two", mode: 0o600)
            #expect(TrustedFiles.inode(file) != second)
            #expect(try TrustedFiles.list(folder) == ["file"])
            // What is no file can be neither read nor replaced, and leaves nothing behind.
            try TrustedFiles.makeDirectory("\(folder)/directory", mode: 0o755)
            #expect(throws: KilnError.self) { try TrustedFiles.read("\(folder)/directory") }
            #expect(throws: KilnError.self) { try TrustedFiles.replace("\(folder)/directory", with: "x") }
            #expect(try TrustedFiles.list(folder) == ["directory", "file"])
        }
    }

    @Test func `a file whose size is not known is read to its end`() throws {
        #expect(try TrustedFiles.readText("/proc/self/status")?.hasSuffix("\n") == true)
    }

    @Test func `a link is changed in one step, and never followed by what removes`() throws {
        try withFolder { folder in
            try TrustedFiles.makeDirectories("\(folder)/kept/deep", mode: 0o755)
            try TrustedFiles.makeDirectories("\(folder)/gone/deep", mode: 0o755)
            try TrustedFiles.link("\(folder)/gone/deep/link", to: "/nowhere")
            try TrustedFiles.link("\(folder)/gone/deep/link", to: "\(folder)/kept")
            #expect(TrustedFiles.destination("\(folder)/gone/deep/link") == "\(folder)/kept")
            #expect(throws: KilnError.self, "it holds more than files") { try TrustedFiles.removeDirectory("\(folder)/gone") }
            try TrustedFiles.remove("\(folder)/gone")
            try TrustedFiles.remove("\(folder)/gone")
            #expect(!TrustedFiles.exists("\(folder)/gone") && TrustedFiles.exists("\(folder)/kept/deep"))
            try TrustedFiles.link("\(folder)/dangling", to: "/nowhere")
            #expect(TrustedFiles.exists("\(folder)/dangling") && TrustedFiles.inode("\(folder)/dangling") == nil)
            try TrustedFiles.removeDirectory("\(folder)/kept")
            try TrustedFiles.removeDirectory("\(folder)/kept")
            #expect(try TrustedFiles.list(folder) == ["dangling"])
        }
    }
}
