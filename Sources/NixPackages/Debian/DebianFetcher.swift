import CommandRunner
import FileWork
import Glibc
import KilnModel

/// Fetches files of Debian's archives, each verified by its digest, and puts them into the store.
struct DebianFetcher: Sendable {
    /// A folder for files on their way.
    let directory: String
    let nix: Nix
    let runner: any CommandRunner
    /// Connections at once.
    let connections: Int

    /// - Parameter progress: hears the bytes fetched a few times a second.
    /// - Throws: `package-failed` when a file cannot be had, or is not the one that the lists named.
    func fetch(
        _ files: [DebianRecipe.Archive], from archives: HostArchives, progress: @escaping @Sendable (_ fetched: Int) async -> Void
    ) async throws {
        guard !files.isEmpty else { return }
        let folder = "\(directory)/\(String(UInt64.random(in: .min ... .max), radix: 36))"
        try TrustedFiles.makeDirectories(folder, mode: 0o755)
        defer { try? TrustedFiles.remove(folder) }
        try giveToApt(folder)
        let paths = files.map { "\(folder)/\($0.path.name)" }
        try await whileDownloading(to: folder, progress) {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for share in Self.shares(of: Array(zip(files, paths)), count: connections) {
                    tasks.addTask { try await download(share, from: archives) }
                }
                try await tasks.waitForAll()
            }
        }
        let stored = try await nix.run(.store, ["--add-fixed", "sha256"] + paths, timeout: .seconds(300))
        guard stored.split(separator: "\n").map(String.init) == files.map(\.path.value) else {
            throw KilnError(.packageFailed, "Nix put fetched files at other paths than they have by their digests.")
        }
    }

    /// apt's own client: with the host's proxy and credentials, checking each file against its digest.
    private func download(_ share: [(file: DebianRecipe.Archive, path: String)], from archives: HostArchives) async throws {
        var arguments = ["-o", "Acquire::Retries=2", "download-file"]
        for (file, path) in share {
            guard let uri = archives.uri(of: file.archive) else {
                throw KilnError(
                    .packageFailed, "\(file.file) is in Debian's security archive, which the host's apt no longer names.",
                    hint: "Add it to /etc/apt/sources.list.d/ on the host and run apt-get update there.")
            }
            arguments += ["\(uri)/\(file.file)", path, "SHA256:\(file.sha256)"]
        }
        let result = try await runner.run(Command("/usr/lib/apt/apt-helper", arguments, timeout: .seconds(1800)))
        guard result.status == 0 else {
            let told = result.errorText.split(separator: "\n").last { $0.hasPrefix("E:") }.map(String.init) ?? "it ended with status \(result.status)"
            throw KilnError(
                .packageFailed, "Debian packages could not be fetched: \(told.printable(limit: 300))",
                hint: "Try again; when a mirror no longer has that version, kl pkg update moves to one that it has.")
        }
    }

    /// Deals files out so that each connection has about as many bytes; pieces too small are not worth one.
    static func shares<File>(of files: [(DebianRecipe.Archive, File)], count: Int) -> [[(file: DebianRecipe.Archive, path: File)]] {
        let total = files.reduce(0) { $0 + $1.0.size }
        let count = max(1, min(count, files.count, total / (2 << 20) + 1))
        var shares = [[(file: DebianRecipe.Archive, path: File)]](repeating: [], count: count)
        var sizes = [Int](repeating: 0, count: count)
        for file in files.sorted(by: { $0.0.size > $1.0.size }) {
            let least = sizes.indices.min { sizes[$0] < sizes[$1] }!
            shares[least].append((file.0, file.1))
            sizes[least] += file.0.size
        }
        return shares
    }

    private func whileDownloading(
        to folder: String, _ progress: @escaping @Sendable (Int) async -> Void, _ work: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                // apt's client says nothing while it works, so the files are looked at.
                while true {
                    try await Task.sleep(for: .milliseconds(250))
                    await progress(Self.size(of: folder))
                }
            }
            tasks.addTask { try await work() }
            defer { tasks.cancelAll() }
            // The watcher only ends by being cancelled.
            try await tasks.next()
        }
        await progress(Self.size(of: folder))
    }

    private static func size(of folder: String) -> Int {
        ((try? TrustedFiles.list(folder)) ?? []).reduce(0) { sum, name in
            var status = stat()
            return lstat("\(folder)/\(name)", &status) == 0 ? sum + Int(status.st_size) : sum
        }
    }

    /// apt talks to the network as a user of its own, who must be able to write here.
    private func giveToApt(_ folder: String) throws(KilnError) {
        guard let user = getpwnam("_apt") else { return }
        guard chown(folder, user.pointee.pw_uid, 0) == 0 else { throw TrustedFiles.failure("give \(folder) to apt") }
    }
}

extension StorePath {
    /// What follows the hash.
    var name: String { String(baseName.dropFirst(33)) }
}
