import Foundation
import KilnModel
import Testing

@testable import KilnCommands

@Suite("Packed build contexts") struct PackedContextTests {
    private let long = String(repeating: "deep-folder/", count: 12) + "a-file-with-a-long-name.txt"

    private func fill(_ folder: String) throws {
        try Fixtures.write("FROM scratch\n", to: "\(folder)/Dockerfile")
        try Fixtures.write("#!/bin/sh\n", to: "\(folder)/run.sh")
        try Fixtures.write(String(repeating: "x", count: 100_000), to: "\(folder)/big")
        try Fixtures.write("", to: "\(folder)/empty")
        try Fixtures.write("deep", to: "\(folder)/\(long)")
        try Fixtures.write("grüße", to: "\(folder)/ümlaut.txt")
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "run.sh")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/run.sh")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(folder)/big")
    }

    private func pack(_ folder: String, ignoring rules: String = "") throws -> PackedContext {
        try PackedContext(ContextTree(root: folder, ignore: IgnoreFile(rules), kept: ["Dockerfile"]), in: NSTemporaryDirectory())
    }

    private func save(_ packed: PackedContext, to path: String) throws {
        var bytes = Data()
        while bytes.count < packed.length { bytes += try packed.piece(at: bytes.count) }
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    @Test("are what tar reads: names, modes, links, contents, no owner and no time") func readByTar() async throws {
        try await Fixtures.withFolder { folder in
            let context = "\(folder)/context"
            try fill(context)
            let packed = try pack(context)
            try save(packed, to: "\(folder)/context.tar")
            let list = try Fixtures.run("/usr/bin/env", "TZ=UTC", "tar", "--numeric-owner", "-tvf", "\(folder)/context.tar")
            #expect(list.contains("-rwxr-xr-x 0/0              10 1970-01-01 00:00 run.sh\n"))
            #expect(list.contains("-rw-r--r-- 0/0          100000 1970-01-01 00:00 big\n"))
            #expect(list.contains("lrwxrwxrwx 0/0               0 1970-01-01 00:00 link -> run.sh\n"))
            #expect(list.contains(" \(long)\n"))
            try FileManager.default.createDirectory(atPath: "\(folder)/out", withIntermediateDirectories: false)
            _ = try Fixtures.run("/usr/bin/env", "tar", "--no-same-owner", "-C", "\(folder)/out", "-xf", "\(folder)/context.tar")
            _ = try Fixtures.run("/usr/bin/env", "diff", "-r", context, "\(folder)/out")
            let sum = try Fixtures.run("/usr/bin/env", "sha256sum", "\(folder)/context.tar")
            #expect(sum.hasPrefix(packed.digest.value))
        }
    }

    @Test("of the same files have the same digest, whenever and wherever they were made") func deterministic() async throws {
        try await Fixtures.withFolder { folder in
            try fill("\(folder)/one")
            try fill("\(folder)/two")
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 5)], ofItemAtPath: "\(folder)/two/big")
            #expect(try pack("\(folder)/one").digest == pack("\(folder)/two").digest)
            try Fixtures.write("other", to: "\(folder)/two/empty")
            #expect(try pack("\(folder)/one").digest != pack("\(folder)/two").digest)
        }
    }

    @Test("leave out what .dockerignore names, but never the Dockerfile, and keep the folders of exceptions") func ignoring() async throws {
        try await Fixtures.withFolder { folder in
            try fill(folder)
            let tree = try ContextTree(root: folder, ignore: IgnoreFile("*\n!deep-folder/**/*.txt\n!run.sh"), kept: ["Dockerfile"])
            let files = tree.items.filter { $0.kind != .folder }.map(\.path)
            #expect(files == ["Dockerfile", long, "run.sh"])
            #expect(tree.items.first { $0.path == "deep-folder" }?.kind == .folder)
        }
    }

    @Test("refuse links that leave, sockets and pipes, unless they are ignored") func refusals() async throws {
        try await Fixtures.withFolder { folder in
            try fill(folder)
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/escape", withDestinationPath: "../../etc/passwd")
            let leaving = #expect(throws: KilnError.self) { try pack(folder) }
            #expect(leaving?.code == .invalidBuildContext)
            #expect(leaving?.message.contains("escape") == true)
            _ = try pack(folder, ignoring: "escape")
            #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
            let special = #expect(throws: KilnError.self) { try pack(folder, ignoring: "escape") }
            #expect(special?.message.contains("pipe") == true)
        }
    }

    @Test("leave no file behind") func nothingLeft() async throws {
        try await Fixtures.withFolder { folder in
            try fill("\(folder)/context")
            try FileManager.default.createDirectory(atPath: "\(folder)/tmp", withIntermediateDirectories: false)
            let tree = try ContextTree(root: "\(folder)/context", ignore: IgnoreFile(""), kept: [])
            let packed = try PackedContext(tree, in: "\(folder)/tmp")
            #expect(packed.length % 512 == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/tmp").isEmpty)
        }
    }
}
