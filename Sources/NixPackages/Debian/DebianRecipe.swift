import FileWork
import FoundationEssentials
import KilnModel

/// Everything that a Debian package in the store is made of: kept from the day it was locked, so that the same is made again whatever the lists say
/// by then.
struct DebianRecipe: Sendable, Hashable, Codable {
    /// A file to fetch.
    struct Archive: Sendable, Hashable, Codable {
        var path: StorePath
        /// Which of the suite's archives has it, and where.
        var archive: DebianPackage.Archive
        var file: String
        var sha256: String
        /// Bytes of the file, and of what is in it.
        var size: Int
        var installedSize: Int
    }

    var archives: [Archive]
    var derivation: NixDerivation
    /// Builds whose results are among what that of the package reads: of packages that many need (`DebianPolicy.isShared`). nil in recipes of before
    /// there were any.
    var shared: [NixDerivation]?

    init(archives: [Archive], derivation: NixDerivation) {
        self.archives = archives
        self.derivation = derivation
    }

    /// What the builder reads, `builder/build.py`.
    private struct Plan: Encodable {
        struct Package: Encodable {
            var name: String
            var version: String
            var source: String
            var needs: [String]
            /// The fetched file, or the folder that `share.py` unpacked it to.
            var path: StorePath
        }

        var name: String
        var architecture: DebianArchitecture
        var packages: [Package]
    }

    /// What the builder reads, `builder/share.py`.
    private struct Share: Encodable {
        var architecture: DebianArchitecture
        var path: StorePath
    }

    /// - Parameter builder: the store path of the folder with `build.py`.
    init(
        _ package: DebianPackage, closure: [DebianSolver<some DebianPackageLookup>.Chosen], architecture: DebianArchitecture = .current,
        builder: StorePath
    ) throws {
        var archives: [Archive] = []
        for chosen in closure {
            let package = chosen.package
            archives.append(
                Archive(
                    path: try NixHash.fixedPath(sha256: package.sha256, name: package.storeName), archive: package.archive, file: package.file,
                    sha256: package.sha256, size: package.size, installedSize: package.installedSize))
        }
        self.archives = archives
        var plan = Plan(name: package.name, architecture: architecture, packages: [])
        var (sources, shared): ([StorePath], [NixDerivation]) = ([builder], [])
        for (chosen, archive) in zip(closure, archives) {
            var path = archive.path
            // A tree may change files of the package that it is for.
            if DebianPolicy.isShared(chosen.package.name), chosen.package.name != package.name {
                let share = Share(architecture: architecture, path: path)
                let derivation = try Self.derivation(of: chosen.package, "share.py", share, architecture, [path, builder], builder: builder)
                path = try derivation.path(of: "out")
                shared.append(derivation)
            }
            sources.append(path)
            let (package, needs) = (chosen.package, chosen.needs)
            plan.packages.append(
                .init(name: package.name, version: package.version.text, source: package.source, needs: needs, path: path))
        }
        self.shared = shared
        derivation = try Self.derivation(of: package, "build.py", plan, architecture, sources, outputs: ["out", "tree"], builder: builder)
    }

    private static func derivation(
        of package: DebianPackage, _ program: String, _ plan: some Encodable, _ architecture: DebianArchitecture, _ sources: [StorePath],
        outputs: [String] = ["out"], builder: StorePath
    ) throws -> NixDerivation {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let version = package.version.withoutEpoch.utf8.map { $0 == UInt8(ascii: "~") ? UInt8(ascii: "-") : $0 }
        return NixDerivation(
            name: "\(package.name)-\(String(decoding: version, as: UTF8.self))", system: architecture.nixSystem, builder: "/usr/bin/python3",
            arguments: ["-I", "-S", "-B", "\(builder)/\(program)"],
            environment: [
                "PATH": "/usr/bin:/bin", "passAsFile": "recipe", "recipe": String(decoding: try encoder.encode(plan), as: UTF8.self),
            ],
            outputs: outputs, sources: sources)
    }

    /// What a workspace sees.
    func storePath() throws(KilnError) -> StorePath { try derivation.path(of: "out") }
}
