import CommandRunner
import KilnModel

extension Nix {
    /// What fetching paths that are not valid yet would take, as far as the substituters know them.
    /// - Returns: nil when Nix did not say.
    func cost(of paths: [StorePath], from substituters: Substituters) async throws -> PackageCost? {
        let settings = substituters.options.sorted { $0.key < $1.key }.flatMap { ["--option", $0.key, $0.value] }
        let arguments = ["--realise", "--dry-run"] + paths.map(\.value) + settings
        do {
            let result = try await runner.run(Command(Program.store.rawValue, arguments, environment: environment, timeout: .seconds(30)))
            return PackageCost(dryRun: result.errorText)
        } catch let error as CommandError {
            throw KilnError(error)
        }
    }
}

extension PackageCost {
    /// Parses what `nix-store --dry-run` says: `these 3 paths will be fetched (0.57 MiB download, 2.34 MiB unpacked):`.
    /// - Returns: nil when nothing is said of fetching.
    init?(dryRun text: String) {
        for line in text.split(separator: "\n") where line.contains(" will be fetched (") {
            guard let open = line.lastIndex(of: "(") else { continue }
            let sizes = line[line.index(after: open)...].split(separator: ",").compactMap(Self.bytes)
            guard sizes.count == 2 else { continue }
            self.init(download: sizes[0], disk: sizes[1])
            return
        }
        return nil
    }

    /// `2.34 MiB …`
    private static func bytes(_ text: Substring) -> Int? {
        let words = text.split(separator: " ")
        let units = ["B": 1.0, "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824]
        guard words.count >= 2, let number = Double(words[0]), let unit = units[String(words[1])], number >= 0, number * unit < 1e18 else {
            return nil
        }
        return Int(number * unit)
    }
}
