import CommandRunner
import FileWork
import KilnModel

/// Debian's archives as the host's own apt uses them, which is what `scripts/archives.sh` reads for the image, too: no mirror is named by Kiln.
struct HostArchives: Sendable, Hashable {
    /// `http://mirror.example/debian`, without a slash at the end.
    var main: String
    /// nil: the host has none.
    var security: String?
    /// Codenames of the suites, without their updates.
    var suites: [String]

    /// Asks the host's apt.
    /// - Throws: `index-unusable` when it names no mirror of Debian.
    static func read(_ runner: any CommandRunner) async throws -> HostArchives {
        let format = "$(LABEL)\t$(CODENAME)\t$(SITE)"
        let text = try await runner.succeed("apt-get", ["indextargets", "--format", format, "Created-By: Packages", "Origin: Debian"])
        guard let archives = HostArchives(targets: text, mirrorList: { Self.firstMirror(inListAt: $0) }) else {
            throw KilnError(
                .indexUnusable, "The host's apt names no mirror of Debian that is reached by http or https.",
                hint: "Add one to /etc/apt/sources.list.d/ on the host and run apt-get update there.")
        }
        return archives
    }

    /// Parses lines of `LABEL TAB CODENAME TAB URI`.
    /// - Parameter mirrorList: the first mirror that a file names; cloud images of Debian keep it in one.
    init?(targets: String, mirrorList: (String) -> String?) {
        var (main, security): (String?, String?) = (nil, nil)
        suites = []
        for line in targets.split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { continue }
            let isList = fields[2].hasPrefix("mirror+file:")
            guard let uri = Self.usable(isList ? mirrorList(String(fields[2].dropFirst("mirror+file:".count))) : fields[2]) else { continue }
            switch fields[0] {
            case "Debian":
                main = main ?? uri
                if !fields[1].contains("-"), !fields[1].isEmpty, !suites.contains(fields[1]) { suites.append(fields[1]) }
            case "Debian-Security": security = security ?? uri
            default: continue
            }
        }
        guard let main else { return nil }
        self.main = main
        self.security = security
    }

    private static func usable(_ uri: String?) -> String? {
        guard var uri, uri.hasPrefix("http://") || uri.hasPrefix("https://") else { return nil }
        while uri.hasSuffix("/") { uri.removeLast() }
        // It is written into apt's sources, where a space would begin another field.
        return uri.utf8.allSatisfy { (0x21...0x7e).contains($0) } ? uri : nil
    }

    private static func firstMirror(inListAt path: String) -> String? {
        guard let bytes = try? TrustedFiles.read(path) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }.first { $0.hasPrefix("http://") || $0.hasPrefix("https://") }
            .map(String.init)
    }

    func uri(of archive: DebianPackage.Archive) -> String? {
        switch archive {
        case .main: main
        case .security: security
        }
    }
}
