internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import KilnAPI
internal import KilnModel

struct EnvironmentExportVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write down everything an environment is made of, to make it elsewhere.",
        discussion: """
            The Compose files as kilnd holds them, what travelled along with them, and what was set by command. Values of secrets only with
            --secrets. Without --to it prints the description alone, as JSON.

            Examples:
              kl env export shop --to shop.export
              kl env create shop --from shop.export        # elsewhere
            """
    )

    @OptionGroup var environment: EnvironmentArgument
    @Option(help: ArgumentHelp("A folder to make.", valueName: "folder"), completion: .directory) var to: String?
    @Flag(help: "Write the values of secrets, too.") var secrets = false
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let export = try await client.export(environment.reference, secrets: secrets)
            guard let to else { return try context.output.json(export) }
            let folder = ExportFolder(path: to)
            try folder.make()
            for digest in export.bundle.digests {
                try await folder.writeTar(digest) { sink in try await client.exportTar(digest, of: environment.reference, sink) }
            }
            // Last, so that a folder with it is whole.
            try folder.write(export)
            for name in export.missingSecrets {
                context.output.note("The value of the secret \(name) is not in it; set it there: kl env secret set \(environment.name) \(name)")
            }
            try context.finish(export, json: common.json, "Make it elsewhere with: kl env create \(export.name) --from \(to.printable())")
        }
    }
}

/// A folder that holds an environment: `environment.json` and the tars that it names. Only its owner may read it.
struct ExportFolder {
    let path: String

    private var description: String { "\(path)/environment.json" }
    func tar(_ digest: ContentDigest) -> String { "\(path)/\(digest).tar" }

    func make() throws(KilnError) {
        guard mkdir(path, 0o700) == 0 else {
            throw Self.failure("\(path.printable()) cannot be made", hint: "Name a folder that does not exist yet.")
        }
    }

    func write(_ export: EnvironmentExport) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let descriptor = try Self.create(description)
        defer { close(descriptor) }
        guard writeAll([UInt8](try encoder.encode(export)) + [UInt8(ascii: "\n")], to: descriptor) else {
            throw Self.failure("\(description) cannot be written")
        }
    }

    func writeTar(_ digest: ContentDigest, _ body: ((_ sink: ([UInt8]) throws -> Void) async throws -> Void)) async throws {
        let descriptor = try Self.create(tar(digest))
        defer { close(descriptor) }
        try await body { bytes in
            guard writeAll(bytes, to: descriptor) else { throw Self.failure("\(tar(digest)) cannot be written") }
        }
    }

    func read() throws(KilnError) -> EnvironmentExport {
        let bytes = try ProjectFolder.readBytes(description, limit: 64 << 20)
        do {
            return try JSONDecoder().decode(EnvironmentExport.self, from: Data(bytes))
        } catch let error as KilnError {
            throw error
        } catch {
            throw KilnError(.init("invalid-file", .usage), "\(description.printable()) is not what kl env export writes.", hint: "Export it again.")
        }
    }

    /// Brings kilnd the tars that it does not hold.
    func upload(_ export: EnvironmentExport, _ client: APIClient) async throws {
        for digest in export.bundle.digests where try await !client.hasContext(digest) {
            let descriptor = open(tar(digest), O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw Self.failure("\(tar(digest).printable()) cannot be read", hint: "Export it again.") }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw Self.failure("\(tar(digest).printable()) cannot be read") }
            try await client.putContext(digest, length: Int(status.st_size)) {
                var piece = [UInt8](repeating: 0, count: 1 << 17)
                let count = Glibc.read(descriptor, &piece, piece.count)
                guard count >= 0 else { throw Self.failure("\(tar(digest).printable()) cannot be read") }
                return count == 0 ? nil : Array(piece[..<count])
            }
        }
    }

    private static func create(_ path: String) throws(KilnError) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("\(path.printable()) cannot be made") }
        return descriptor
    }

    private static func failure(_ deed: String, hint: String? = nil) -> KilnError {
        let code: KilnError.Code = errno == ENOSPC ? .diskFull : .init("invalid-file", .usage)
        return KilnError(code, "\(deed): \(String(cString: strerror(errno))).", hint: errno == ENOSPC ? "df -h" : hint)
    }
}

extension ComposeBundle {
    /// The tars that it names, each once.
    fileprivate var digests: [ContentDigest] {
        Set(contexts.values).union(copies.values.map(\.digest)).sorted { $0.value < $1.value }
    }
}
