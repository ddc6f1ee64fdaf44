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
            var path: StorePath
        }

        var name: String
        var architecture: DebianArchitecture
        var packages: [Package]
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
        let plan = Plan(
            name: package.name, architecture: architecture,
            packages: zip(closure, archives).map {
                .init(name: $0.package.name, version: $0.package.version.text, source: $0.package.source, needs: $0.needs, path: $1.path)
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let version = package.version.withoutEpoch.utf8.map { $0 == UInt8(ascii: "~") ? UInt8(ascii: "-") : $0 }
        derivation = NixDerivation(
            name: "\(package.name)-\(String(decoding: version, as: UTF8.self))", system: architecture.nixSystem, builder: "/usr/bin/python3",
            arguments: ["-I", "-S", "-B", "\(builder)/build.py"],
            environment: [
                "PATH": "/usr/bin:/bin", "passAsFile": "recipe", "recipe": String(decoding: try encoder.encode(plan), as: UTF8.self),
            ],
            outputs: ["out", "tree"], sources: archives.map(\.path) + [builder])
    }

    /// What a workspace sees.
    func storePath() throws(KilnError) -> StorePath { try derivation.path(of: "out") }
}
