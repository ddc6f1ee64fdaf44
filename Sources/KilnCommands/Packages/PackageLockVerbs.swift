internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import KilnAPI
internal import KilnModel

struct PackageExport: Verb {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print a workspace's packages as a lock, to have the very same elsewhere.",
        discussion: "Example:\n  kl pkg export --workspace hello > packages.lock"
    )

    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            try context.output.json(PackageLock(try await client.packages(of: reference).packages.map(\.package)))
        }
    }
}

struct PackageImport: Verb {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a workspace's packages those of a lock.",
        discussion:
            "Nothing is resolved anew. What cannot be had is reported, and the others are there all the same.\n\nExamples:\n  kl pkg import packages.lock\n  kl pkg export --workspace a | kl pkg import - --workspace b"
    )

    @Argument(help: ArgumentHelp("What kl pkg export printed; - is standard input.", valueName: "file"), completion: .file()) var file: String
    @Flag(help: "Take all of them or none.") var atomic = false
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        let lock = try read()
        try await context.withClient { client in
            try await context.conclude(try await client.importPackages(lock, to: reference, atomic: atomic), client, wait, common)
        }
    }

    private func read() throws -> PackageLock {
        let bytes = try ProjectFolder.readBytes(file == "-" ? "/dev/stdin" : file, limit: 1 << 20)
        do {
            return try JSONDecoder().decode(PackageLock.self, from: Data(bytes))
        } catch let error as KilnError {
            throw error
        } catch {
            throw KilnError(
                .init("invalid-file", .usage), "\(file.printable(limit: 120)) is not a lock of packages.", hint: "kl pkg export makes one.")
        }
    }
}

struct PackageSync: Verb {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Bring a workspace the packages that kiln.yaml names.",
        discussion: """
            The file is looked for in this folder and those above it; commit it with the code. What agrees with it already stays as it is. \
            What cannot be had is reported, and the others are added all the same.

              packages:
                - jq
                - nodejs@20

            Examples:
              kl pkg sync
              kl p sync --file api/kiln.yaml --exact --workspace hello
            """
    )

    @Option(help: ArgumentHelp("The file.", valueName: "path"), completion: .file()) var file: String?
    @Flag(help: "Remove what the file does not name.") var exact = false
    @Flag(help: "Add all of them or none.") var atomic = false
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    private static let fileName = "kiln.yaml"

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        let path = try file ?? Self.find()
        let request = SyncPackages(file: try ProjectFolder.read(path), path: path, exact: exact ? true : nil, atomic: atomic ? true : nil)
        try await context.withClient { client in
            try await context.conclude(try await client.syncPackages(request, of: reference), client, wait, common)
        }
    }

    private static func find() throws(KilnError) -> String {
        var folder = ""
        var (here, above) = (stat(), stat())
        while true {
            if ProjectFolder.exists(folder + fileName) { return folder + fileName }
            // Above the root is the root.
            guard stat(folder.isEmpty ? "." : folder, &here) == 0, stat(folder + "..", &above) == 0,
                (here.st_ino, here.st_dev) != (above.st_ino, above.st_dev)
            else { break }
            folder += "../"
        }
        throw KilnError(
            .init("file-not-found", .usage), "There is no \(fileName) in this folder or above it.",
            hint: "Write one that says: packages: [jq, nodejs@20]")
    }
}
