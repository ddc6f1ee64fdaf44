import CommandRunner
import FileWork
import FoundationEssentials
import KilnModel

@testable import NixPackages

/// Two Nix stores in a folder, neither of them the host's: one that packages are published from, one that they are fetched into.
struct StorePlayground {
    let folder: String
    /// Has what `add` made.
    let origin: Nix
    /// Has nothing at first.
    let target: Nix
    let runner = SystemCommandRunner()

    static func with<Result>(_ body: (StorePlayground) async throws -> Result) async throws -> Result {
        try await withTemporaryFolder { folder in
            let playground = StorePlayground(folder: folder)
            for (nix, name) in [(playground.origin, "origin"), (playground.target, "target")] {
                for path in ["\(folder)/\(name)/nix/store", "\(nix.directory)/builds"] { try TrustedFiles.makeDirectories(path, mode: 0o755) }
                let settings = """
                    store = local?root=\(folder)/\(name)
                    build-users-group =
                    sandbox = true
                    sandbox-paths = /bin /usr /lib /lib64
                    substituters =
                    require-sigs = true
                    """
                try TrustedFiles.replace("\(nix.directory)/nix.conf", with: settings + "\n")
                try await nix.run(.store, ["--init"])
            }
            defer { playground.makeWritable() }
            return try await body(playground)
        }
    }

    private init(folder: String) {
        self.folder = folder
        origin = Nix(directory: "\(folder)/nix-origin")
        target = Nix(directory: "\(folder)/nix-target")
    }

    var cache: String { "\(folder)/cache" }

    /// Puts a package with one program into the store of origin. Its path is no fixed output, so that it counts only with a signature.
    func add(_ name: String, _ version: String, printing text: String = "hello", needing others: [StorePath] = []) async throws -> StorePath {
        let digits = Array("0123456789abcdfghijklmnpqrsvwxyz")
        let hash = String((0..<32).map { _ in digits.randomElement()! })
        let path = try StorePath("\(StorePath.store)/\(hash)-\(name)-\(version)")
        let real = "\(folder)/origin\(path)"
        try TrustedFiles.makeDirectories("\(real)/bin", mode: 0o755)
        let needed = others.map { "# \($0)\n" }.joined()
        try TrustedFiles.replace("\(real)/bin/\(name)", with: "#!/bin/sh\n\(needed)echo \(text)\n", mode: 0o555)
        let digest = try await runner.succeed("nix-hash", ["--type", "sha256", real]).split(separator: "\n")[0]
        let size = try await runner.run(Command("nix-store", ["--dump", real])).output.count
        let registration = "\(path)\n\(digest)\n\(size)\n\n\(others.count)\n" + others.map { "\($0)\n" }.joined()
        try await runner.succeed(Command("nix-store", ["--load-db"], environment: environment(of: origin), input: Array(registration.utf8)))
        return path
    }

    /// A key of its own.
    func makeKey(_ name: String = "packages-1") async throws -> (secretPath: String, publicKey: SigningKey) {
        let path = "\(folder)/\(name)-\(UInt32.random(in: .min ... .max))"
        try await runner.succeed("nix-store", ["--generate-binary-cache-key", name, path, path + ".pub"])
        return (path, try SigningKey(String(decoding: TrustedFiles.read(path + ".pub") ?? [], as: UTF8.self)))
    }

    /// Copies paths of origin with all that they need to the cache, signed.
    func upload(_ paths: [StorePath], secretPath: String) async throws {
        let arguments = ["--extra-experimental-features", "nix-command", "copy", "--to", "file://\(cache)?secret-key=\(secretPath)&compression=none"]
        try await runner.succeed(Command("nix", arguments + paths.map(\.value), environment: environment(of: origin)))
    }

    /// Writes the cache's index with what was published, and signs it.
    func writeIndex(_ releases: [CacheIndex.Release], secretPath: String, time: Int = 1) throws {
        let text = CacheIndex.text(of: releases, time: time)
        let secret = String(decoding: try TrustedFiles.read(secretPath) ?? [], as: UTF8.self)
        try TrustedFiles.makeDirectories(cache, mode: 0o755)
        try TrustedFiles.replace("\(cache)/kiln-index", with: text)
        try TrustedFiles.replace("\(cache)/kiln-index.sig", with: try IndexSignature.sign(Data(text.utf8), secretKey: secret))
    }

    func release(_ path: StorePath, _ name: String, _ version: String, system: String = "x86_64-linux") throws -> CacheIndex.Release {
        CacheIndex.Release(
            name: try PackageName(name), version: try PackageVersion(version), system: system, storePath: path, hash: "sha256:0", download: 100,
            disk: 300, summary: "prints a word")
    }

    /// Whether the target store has a path.
    func isValid(_ path: StorePath) async throws -> Bool {
        try await target.run(.store, ["--check-validity", "--print-invalid", path.value]).isEmpty
    }

    /// What a program of a package in the target store prints.
    func output(of program: String, in path: StorePath) async throws -> String {
        try await runner.succeed("\(folder)/target\(path)/bin/\(program)", [])
    }

    private func environment(of nix: Nix) -> [String: String] {
        [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": nix.directory, "NIX_CONF_DIR": nix.directory, "NIX_USER_CONF_FILES": "",
            "XDG_CACHE_HOME": "\(nix.directory)/cache",
        ]
    }

    /// Stores are read-only; their folder shall go.
    private func makeWritable() { _ = try? TrustedFiles.remove("\(folder)/origin") }
}
