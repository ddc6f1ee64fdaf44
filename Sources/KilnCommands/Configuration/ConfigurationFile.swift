internal import FoundationEssentials
internal import Glibc
internal import KilnModel

/// `~/.config/kiln/config.json` (below `XDG_CONFIG_HOME` where that is set): only its owner may read it.
struct ConfigurationFile: Sendable {
    let path: String

    init(environment: [String: String]) {
        let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/root"
        let base = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/.config"
        path = "\(base)/kiln/config.json"
    }

    /// The file's content; empty when there is no file.
    /// - Throws: `KilnError` when others may read it, or it is not what `kl` writes.
    func read() throws(KilnError) -> Configuration {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return Configuration() }
            throw failure("read")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read") }
        guard status.st_mode & 0o077 == 0 else {
            throw KilnError(.invalidConfiguration, "\(path) holds a token, and other users may read it.", hint: "chmod 600 \(path)")
        }
        guard let bytes = readAll(descriptor) else { throw failure("read") }
        do {
            return try JSONDecoder().decode(Configuration.self, from: Data(bytes))
        } catch {
            throw KilnError(.invalidConfiguration, "\(path) is not the JSON that kl writes: \(error)", hint: "rm \(path), then kl config set-token")
        }
    }

    /// Replaces the file as a whole, so that a crash leaves the old one or the new one.
    func write(_ configuration: Configuration) throws(KilnError) {
        let folder = path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)
        let draft = "\(path).\(getpid())"
        let bytes: [UInt8]
        do {
            try FileManager.default.createDirectory(
                atPath: String(folder), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700]
            )
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            bytes = [UInt8](try encoder.encode(configuration)) + [UInt8(ascii: "\n")]
        } catch {
            throw KilnError(.invalidConfiguration, "\(folder) cannot be made: \(error)")
        }
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("write") }
        let written = writeAll(bytes, to: descriptor) && fsync(descriptor) == 0
        close(descriptor)
        guard written, rename(draft, path) == 0 else {
            let error = failure("write")
            unlink(draft)
            throw error
        }
    }

    private func failure(_ deed: String) -> KilnError {
        KilnError(.invalidConfiguration, "kl cannot \(deed) \(path): \(String(cString: strerror(errno))).", hint: "ls -l \(path)")
    }
}

/// Reads a descriptor to its end; nil, with `errno` set, when it cannot.
func readAll(_ descriptor: Int32) -> [UInt8]? {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(descriptor, &piece, piece.count)
        if count > 0 { bytes += piece[..<count] } else if count == 0 { return bytes } else if errno != EINTR { return nil }
    }
}
