public import CommandRunner
import FileWork
import FoundationEssentials
import Glibc
public import KilnModel

/// Nix as Kiln runs it: its programs, as root, without a daemon, with settings of Kiln's own. What a user typed reaches them as arguments or
/// data, never as text of the Nix language.
public struct Nix: Sendable {
    /// The programs that are used; `nix` itself differs from version to version.
    public enum Program: String, Sendable {
        case store = "nix-store"
        case build = "nix-build"
        case instantiate = "nix-instantiate"
    }

    /// Holds `nix.conf`, Nix's caches and the folder that builds run in; root's.
    public let directory: String
    /// What comes before the words of a program that builds, to bound what it may use.
    let limiter: [String]
    let runner: any CommandRunner

    public init(directory: String, limiter: [String] = [], runner: any CommandRunner = SystemCommandRunner()) {
        self.directory = directory
        self.limiter = limiter
        self.runner = runner
    }

    /// Writes the settings and makes the store. Harmless when repeated.
    public func prepare(_ settings: NixSettings) async throws {
        // Build users pass through it.
        for path in [directory, temporary] { try TrustedFiles.makeDirectories(path, mode: 0o755) }
        try TrustedFiles.replace("\(directory)/nix.conf", with: settings.text)
        try await run(.store, ["--init"])
    }

    /// Runs a program that has to succeed.
    /// - Parameters:
    ///   - options: settings for this run, `["substituters": "file:///x"]`.
    ///   - isPatient: gives way to everything else on the host.
    ///   - progress: hears what is fetched and built, as often as Nix says so.
    /// - Returns: what it printed on standard output.
    /// - Throws: `package-failed`, `untrusted-signature`, `disk-full`, `timed-out`, or `engine-unavailable` when Nix is not installed.
    @discardableResult
    public func run(
        _ program: Program, _ arguments: [String], options: [String: String] = [:], isPatient: Bool = false, timeout: Duration = .seconds(60),
        progress: (@Sendable (PackageProgress) async -> Void)? = nil
    ) async throws -> String {
        let settings = options.sorted { $0.key < $1.key }.flatMap { ["--option", $0.key, $0.value] }
        var words = [program.rawValue] + arguments + ["--log-format", "internal-json"] + settings
        if program == .build || arguments.contains("--realise") { words = limiter + words }
        if isPatient { words = ["nice", "-n", "19", "ionice", "-c", "3"] + words }
        let command = Command(words[0], Array(words.dropFirst()), environment: environment, timeout: timeout, outputLimit: 256 << 20)
        let log = NixLogReader()
        do {
            let result = try await runner.run(command) { line in
                if let state = await log.read(line) { await progress?(state) }
            }
            guard result.status == 0 else { throw await log.failure(of: program, status: result.status) }
            return result.outputText
        } catch let error as CommandError {
            throw KilnError(error)
        }
    }

    /// Nothing of whoever started the agent gets in but its proxy.
    var environment: [String: String] {
        var environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": directory, "LANG": "C.UTF-8",
            "XDG_CACHE_HOME": "\(directory)/cache", "TMPDIR": temporary, "NIX_CONF_DIR": directory, "NIX_USER_CONF_FILES": "",
        ]
        for name in ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "NIX_SSL_CERT_FILE"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment
    }

    private var temporary: String { "\(directory)/builds" }
}

/// Lines arrive one after the other; the state between them is kept here.
private actor NixLogReader {
    private var log = NixLog()

    func read(_ line: String) -> PackageProgress? { log.read(line) }

    func failure(of program: Nix.Program, status: Int) -> KilnError { log.failure(of: program.rawValue, status: status) }
}

extension KilnError {
    /// What a program that could not be run to its end means for packages.
    init(_ error: CommandError) {
        switch error.code {
        case .notFound: self.init(.engineUnavailable, "Nix is not installed on this host.", hint: "apt-get install nix-bin, or run make up again.")
        case .timedOut: self.init(.timedOut, "\(error.message)", hint: "What was fetched is kept: try again.")
        case .notStarted, .tooMuchOutput: self.init(.packageFailed, error.message)
        }
    }
}
