import CommandRunner
import FoundationEssentials
import KilnModel

@testable import NixPackages

/// Nix, the builder as `make up` installs it, and a folder for all that a Debian source keeps.
struct DebianFixture: Sendable {
    let directory: String
    let nix: Nix
    let builds: DebianBuilds
    /// Lists are fetched once for all tests of a run.
    let source: DebianSource

    private static let root = String(#filePath.dropLast("/Tests/NixPackagesTests/Debian/DebianFixture.swift".count))

    static func with(suites: [String] = ["trixie"], _ body: (DebianFixture) async throws -> Void) async throws {
        let directory = "\(FileManager.default.temporaryDirectory.path)/kiln-debian-\(UInt32.random(in: 0 ... .max))"
        try HostFiles.makeDirectory(directory, mode: 0o755)
        let outcome: Result<Void, any Error>
        do {
            try await body(DebianFixture(directory: directory, suites: suites))
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try HostFiles.remove(directory)
        try outcome.get()
    }

    private init(directory: String, suites: [String]) async throws {
        self.directory = directory
        let runner = SystemCommandRunner()
        nix = Nix(directory: "\(directory)/nix")
        try await nix.prepare(NixSettings(limits: PackageLimits()))
        let program = "\(directory)/program"
        try await runner.succeed("\(Self.root)/scripts/debian-builder", [program])
        builds = DebianBuilds(program: program, nix: nix)
        let configuration = DebianConfiguration(name: try Name("debian"), suites: try suites.map(DebianSuite.init))
        source = DebianSource(configuration, directory: "\(directory)/debian", program: program, nix: nix)
    }

    /// Locks a package and makes it.
    func add(_ wish: String) async throws -> LockedPackage {
        let package = try await source.lock(try PackageWish(wish)).package
        let roots = "\(directory)/roots"
        try HostFiles.makeDirectory(roots, mode: 0o755)
        try await source.realise([package], root: { "\(roots)/\($0.name)" }) { _ in }
        return package
    }

    /// Runs a program in a root folder that has the store, /proc, /dev and /tmp, and nothing else.
    func run(_ command: [String], with packages: [LockedPackage], input: String = "") async throws -> String {
        let script = """
            root=$1; shift
            mkdir -p "$root/nix/store" "$root/proc" "$root/dev" "$root/tmp"
            mount -t tmpfs tmpfs "$root/tmp"
            mount --bind /nix/store "$root/nix/store"
            mount -o remount,bind,ro "$root/nix/store"
            mount -t proc proc "$root/proc"
            mount --rbind /dev "$root/dev"
            # The program is found in the new root, which has no env(1) to do it.
            exec perl -e 'my $root = shift; my @path = split /:/, shift; chroot $root or die $!; chdir "/tmp";
                %ENV = (PATH => join(":", @path), HOME => "/tmp", LANG => "C.UTF-8", TERM => "xterm-256color");
                exec { (grep { -x } map { "$_/$ARGV[0]" } @path)[0] // $ARGV[0] } @ARGV or die "$ARGV[0]: $!\\n"' "$root" "$@"
            """
        let path = packages.map { "\($0.storePath)/bin" }.joined(separator: ":")
        let arguments = ["-m", "--propagation", "private", "sh", "-euc", script, "sh", "\(directory)/root", path] + command
        return try await SystemCommandRunner().succeed(Command("unshare", arguments, input: Array(input.utf8), timeout: .seconds(120)))
    }
}
