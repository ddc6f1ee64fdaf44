import CommandRunner
import FileWork
import FoundationEssentials
import KilnModel

@testable import NixPackages

/// Nix, the builder as `make up` installs it, and a folder for all that a Debian source keeps.
struct DebianFixture: Sendable {
    let directory: String
    let nix: Nix
    let builds: DebianBuilds
    let source: DebianSource
    private let program: String

    private static let root = String(#filePath.dropLast("/Tests/NixPackagesTests/Debian/DebianFixture.swift".count))

    static func with(suites: [String] = ["trixie"], _ body: (DebianFixture) async throws -> Void) async throws {
        let directory = "\(FileManager.default.temporaryDirectory.path)/kiln-debian-\(UInt32.random(in: 0 ... .max))"
        try TrustedFiles.makeDirectories(directory, mode: 0o755)
        let outcome: Result<Void, any Error>
        do {
            try await body(DebianFixture(directory: directory, suites: suites))
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try TrustedFiles.remove(directory)
        try outcome.get()
    }

    private init(directory: String, suites: [String]) async throws {
        self.directory = directory
        nix = Nix(directory: "\(directory)/nix")
        try await nix.prepare(NixSettings(limits: PackageLimits()))
        program = "\(directory)/program"
        try await SystemCommandRunner().succeed("\(Self.root)/scripts/debian-builder", [program])
        builds = DebianBuilds(program: program, nix: nix)
        let configuration = DebianConfiguration(name: try Name("debian"), suites: try suites.map(DebianSuite.init))
        source = DebianSource(configuration, directory: "\(directory)/debian", program: program, nix: nix)
    }

    /// The same source with what it has on the disk, at a mirror that does not answer.
    func offline(suites: [String] = ["trixie"]) throws -> DebianSource {
        let nowhere = try FileAddress("http://127.0.0.1:9/debian")
        let configuration = DebianConfiguration(name: try Name("debian"), suites: try suites.map(DebianSuite.init), mirror: nowhere)
        return DebianSource(configuration, directory: "\(directory)/debian", program: program, nix: nix)
    }

    /// Locks a package and makes it.
    func add(_ wish: String) async throws -> LockedPackage {
        let package = try await source.lock(try PackageWish(wish)).package
        try await realise(package, from: source)
        return package
    }

    func realise(_ package: LockedPackage, from source: DebianSource) async throws {
        let roots = "\(directory)/roots"
        try TrustedFiles.makeDirectories(roots, mode: 0o755)
        try await source.realise([package], root: { "\(roots)/\($0.name)" }) { _ in }
    }

    /// Puts a file where programs run.
    func put(_ name: String, _ text: String) throws {
        try TrustedFiles.makeDirectories("\(directory)/root/home", mode: 0o755)
        try TrustedFiles.replace("\(directory)/root/home/\(name)", with: text)
    }

    /// What is in a file that a program wrote there.
    func text(_ name: String) throws -> String { String(decoding: try TrustedFiles.read("\(directory)/root/home/\(name)") ?? [], as: UTF8.self) }

    /// Runs a program in a root folder that has the store, /proc, /dev, an empty /tmp and /home, and nothing else.
    func run(_ command: [String], with packages: [LockedPackage], input: String = "") async throws -> String {
        let script = """
            root=$1; shift
            mkdir -p "$root/nix/store" "$root/proc" "$root/dev" "$root/tmp" "$root/home"
            mount -t tmpfs tmpfs "$root/tmp"
            mount --bind /nix/store "$root/nix/store"
            mount -o remount,bind,ro "$root/nix/store"
            mount -t proc proc "$root/proc"
            mount --rbind /dev "$root/dev"
            # The program is found in the new root, which has no env(1) to do it.
            exec perl -e 'my $root = shift; my @path = split /:/, shift; chroot $root or die $!; chdir "/home";
                %ENV = (PATH => join(":", @path), HOME => "/tmp", LANG => "C.UTF-8", TERM => "xterm-256color");
                exec { (grep { -x } map { "$_/$ARGV[0]" } @path)[0] // $ARGV[0] } @ARGV or die "$ARGV[0]: $!\\n"' "$root" "$@"
            """
        let path = ["bin", ViewPlan.needed].flatMap { folder in packages.map { "\($0.storePath)/\(folder)" } }.joined(separator: ":")
        let arguments = ["-m", "--propagation", "private", "sh", "-euc", script, "sh", "\(directory)/root", path] + command
        return try await SystemCommandRunner().succeed(Command("unshare", arguments, input: Array(input.utf8), timeout: .seconds(120)))
    }
}
