import FileWork
import Foundation
import KilnModel
import Synchronization

@testable import NixPackages

/// A source of small packages that really are built, in the sandbox, by this host's Nix: a program each, which prints its name and version.
final class ScriptSource: PackageSource {
    let name: Name
    let nix: Nix
    /// Packages that resolve and cannot be built.
    let broken: Set<String>
    /// Other programs of a package, by its name.
    let extra: [String: [String]]
    let needed: Int
    private let realisedPackages = Mutex<[[String]]>([])
    /// Makes what is built now unlike anything built before.
    private let salt = UUID().uuidString

    init(_ name: String, nix: Nix, broken: Set<String> = [], extra: [String: [String]] = [:], needed: Int = 0) throws {
        self.name = try Name(name)
        self.nix = nix
        self.broken = broken
        self.extra = extra
        self.needed = needed
    }

    /// What each call of `realise` was asked for.
    var calls: [[String]] { realisedPackages.withLock { $0 } }

    private static let expression = """
        { data }:
        let p = builtins.fromJSON data; in
        derivation {
          name = "${p.name}-${p.version}"; system = builtins.currentSystem; builder = "/bin/sh"; PATH = "/usr/bin:/bin"; inherit (p) salt;
          names = p.names; text = "#!/bin/sh\\necho ${p.name} ${p.version}\\n"; passAsFile = [ "text" ];
          args = [ "-ec" (if p.broken then "echo no such luck; exit 1" else
            "mkdir -p $out/bin; for n in $names; do cp $textPath $out/bin/$n; chmod 755 $out/bin/$n; done") ];
        }
        """

    func refresh() async throws {}
    func index() async throws -> PackageIndex { throw KilnError(.indexUnusable, "There is none.") }
    func releases(of package: PackageName) async throws -> [PackageDetails.Release] { [] }

    func cost(of packages: [LockedPackage]) async throws -> PackageCost? {
        guard !packages.contains(where: { broken.contains($0.name.value) }) else { throw KilnError(.packageFailed, "What it takes is not known.") }
        return PackageCost(download: 0, disk: needed)
    }

    func lock(_ wish: PackageWish) async throws -> (package: LockedPackage, download: Int?) {
        let version: PackageVersion = if case .matching(let version) = wish.version { version } else { try PackageVersion("1") }
        let file = "\(nix.directory)/script.nix"
        try TrustedFiles.replace(file, with: Self.expression)
        let data = try JSONSerialization.data(withJSONObject: [
            "name": wish.name.value, "version": version.value, "salt": salt, "broken": broken.contains(wish.name.value),
            "names": [wish.name.value] + (extra[wish.name.value] ?? []),
        ])
        let derivation = try await nix.run(.instantiate, [file, "--argstr", "data", String(decoding: data, as: UTF8.self)])
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let path = try await nix.run(.store, ["--query", "--outputs", derivation]).trimmingCharacters(in: .whitespacesAndNewlines)
        return (
            LockedPackage(
                name: wish.name, version: version, source: name, revision: "1", attribute: derivation, system: "x86_64-linux",
                storePath: try StorePath(path)), 0
        )
    }

    func realise(
        _ packages: [LockedPackage], root: @Sendable (LockedPackage) -> String, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws {
        realisedPackages.withLock { $0.append(packages.map(\.name.value)) }
        for package in packages {
            try await nix.run(
                .store, ["--realise", package.attribute, "--add-root", root(package)], options: ["extra-sandbox-paths": "/bin /usr /lib /lib64"],
                progress: progress)
        }
    }
}
