import CommandRunner
import FileWork
import Glibc
import KilnModel

/// Package lists of Kiln's own, fetched and verified by apt, apart from those of the host: other suites, and never changed under a reader.
struct AptLists: Sendable {
    /// Holds apt's settings, sources and lists.
    let directory: String
    let archives: HostArchives
    let suites: [String]
    let components: [String]
    let keyring: String
    let runner: any CommandRunner

    /// Fetches what changed.
    /// - Throws: `index-unusable` with what apt says.
    func update() async throws {
        for path in [directory, lists, "\(lists)/partial", "\(directory)/cache", "\(directory)/cache/archives/partial"] {
            try TrustedFiles.makeDirectories(path, mode: 0o755)
        }
        try TrustedFiles.replace("\(directory)/kiln.sources", with: sources)
        try TrustedFiles.replace("\(directory)/apt.conf", with: settings)
        let result = try await runner.run(Command("apt-get", ["update", "-qq", "-c=\(directory)/apt.conf"], timeout: .seconds(300)))
        // A suite without updates, or an archive that does not answer now, must not keep the others away; what is missing shows below.
        for suite in suites where try files(of: suite).isEmpty {
            let told = result.errorText.split(separator: "\n").last { $0.hasPrefix("E:") } ?? "apt-get update ended with status \(result.status)"
            throw KilnError(
                .indexUnusable, "The package lists of Debian's \(suite) cannot be had: \(String(told).printable(limit: 300))",
                hint: "Check that the host reaches \(archives.main).")
        }
    }

    /// The lists of a suite with the archive each is from; empty when its main one is not there.
    func files(of suite: String) throws(KilnError) -> [(path: String, archive: DebianPackage.Archive)] {
        let names = try TrustedFiles.list(lists)
        func found(_ name: String) -> [String] {
            let wanted = components.map { "_dists_\(name)_\($0)_binary-\(DebianArchitecture.current.rawValue)_Packages" }
            return names.filter { file in wanted.contains { file.hasSuffix($0) } }.map { "\(lists)/\($0)" }
        }
        let main = found(suite)
        guard !main.isEmpty else { return [] }
        return (main + found("\(suite)-updates")).map { ($0, .main) } + found("\(suite)-security").map { ($0, .security) }
    }

    /// The signed heads of all suites, which say everything about the lists below them.
    func heads() throws(KilnError) -> [UInt8] {
        var bytes: [UInt8] = []
        for name in try TrustedFiles.list(lists) where name.hasSuffix("_InRelease") {
            bytes += Array(name.utf8) + (try TrustedFiles.read("\(lists)/\(name)") ?? [])
        }
        return bytes
    }

    private var lists: String { "\(directory)/lists" }

    private var sources: String {
        let main = suites.flatMap { [$0, "\($0)-updates"] }
        let security = suites.map { "\($0)-security" }
        return stanza(archives.main, main) + (archives.security.map { stanza($0, security) } ?? "")
    }

    private func stanza(_ uri: String, _ suites: [String]) -> String {
        """
        Types: deb
        URIs: \(uri)
        Suites: \(suites.joined(separator: " "))
        Components: \(components.joined(separator: " "))
        Signed-By: \(keyring)


        """
    }

    /// Read after the host's own settings, of which the proxy and its like must hold here, too.
    private var settings: String {
        """
        #clear APT::Update;
        #clear Acquire::IndexTargets;
        Acquire::IndexTargets::deb::Packages::MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages";
        Acquire::IndexTargets::deb::Packages::flatMetaKey "Packages";
        Acquire::IndexTargets::deb::Packages::ShortDescription "Packages";
        Acquire::IndexTargets::deb::Packages::Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages";
        Acquire::IndexTargets::deb::Packages::Optional "no";
        Acquire::GzipIndexes "false";
        Acquire::Languages "none";
        Acquire::Retries "2";
        APT::Architectures { "\(DebianArchitecture.current.rawValue)"; };
        Dir::State::lists "\(lists)";
        Dir::Cache "\(directory)/cache";
        Dir::Cache::pkgcache "";
        Dir::Cache::srcpkgcache "";
        Dir::Etc::SourceList "\(directory)/kiln.sources";
        Dir::Etc::SourceParts "/dev/null";

        """
    }
}

/// A processor as Debian and Nix call it.
enum DebianArchitecture: String, Sendable, Codable {
    case amd64, arm64

    static var current: DebianArchitecture {
        #if arch(arm64)
            .arm64
        #else
            .amd64
        #endif
    }

    var nixSystem: String {
        switch self {
        case .amd64: "x86_64-linux"
        case .arm64: "aarch64-linux"
        }
    }
}
