import FileWork
import FoundationEssentials
import KilnModel

/// Evaluates a collection of packages: which store path a package has, how it is built, and which packages there are.
///
/// The expression is Kiln's own. Where the collection lies and what is wanted of it are arguments, strings throughout; the collection may read
/// nothing of the host but itself.
struct NixpkgsEvaluation: Sendable {
    let nix: Nix
    /// The collection: a folder of this host, or an archive anywhere.
    let source: FileAddress
    let system: String
    /// Holds the expression.
    let directory: String
    let substituters: Substituters

    struct Package: Decodable, Sendable, Hashable {
        var version: String
        /// The output with the programs.
        var output: String
        var path: String
    }

    /// What the collection has at `attribute`, a path of plain names.
    /// - Returns: nil when there is none.
    func package(_ attribute: String) async throws -> Package? {
        let text = try await evaluate("package", ["attribute": attribute])
        return try JSONDecoder().decode(Package?.self, from: Data(text.utf8))
    }

    /// All packages at the top of the collection, as a text for `PackagesJSON`.
    func packages() async throws -> String { try await evaluate("packages", [:]) }

    /// Builds the package at `attribute`, or fetches it where a substituter has it.
    /// - Returns: its store path.
    func build(_ attribute: String, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws -> StorePath {
        let text = try await nix.run(
            .build, try arguments("derivation", ["attribute": attribute]) + ["--no-out-link"], options: options, timeout: .seconds(24 * 3600),
            progress: progress)
        guard let path = text.split(separator: "\n").last.flatMap({ try? StorePath(String($0)) }) else {
            throw KilnError(.packageFailed, "Building \(attribute) gave no path of the store.")
        }
        return path
    }

    private func evaluate(_ wanted: String, _ more: [String: String]) async throws -> String {
        try await nix.run(
            .instantiate, ["--eval", "--strict", "--json"] + (try arguments(wanted, more)), options: options, timeout: .seconds(1800))
    }

    private func arguments(_ wanted: String, _ more: [String: String]) throws -> [String] {
        try TrustedFiles.makeDirectories(directory, mode: 0o755)
        try TrustedFiles.replace(file, with: Self.expression)
        let values = more.merging(["source": folder ?? source.value, "system": system, "wanted": wanted]) { $1 }
        return [file] + values.sorted { $0.key < $1.key }.flatMap { ["--argstr", $0.key, $0.value] } + ["-I", directory]
            + (folder.map { ["-I", $0] } ?? [])
    }

    private var folder: String? { source.value.hasSuffix(".tar.gz") || source.value.hasSuffix(".tar.xz") ? nil : source.path }

    private var file: String { "\(directory)/nixpkgs.nix" }

    private var options: [String: String] {
        var options = substituters.options
        options["restrict-eval"] = "true"
        options["allowed-uris"] = folder == nil ? source.value : ""
        options["allow-import-from-derivation"] = "false"
        return options
    }

    /// `tryEval` keeps packages that refuse to be evaluated (another system, unfree) from spoiling the list.
    private static let expression = #"""
        # Written by Kiln.
        { source, system, wanted, attribute ? "" }:
        let
          folder = if builtins.substring 0 1 source == "/" then source else builtins.fetchTarball source;
          collection = import folder { inherit system; config = { }; overlays = [ ]; };
          names = builtins.filter builtins.isString (builtins.split "[.]" attribute);
          isPackage = value: builtins.isAttrs value && value.type or "" == "derivation";
          found = builtins.foldl' (set: name: if builtins.isAttrs set then set.${name} or null else null) collection names;
          # The output with the programs: of those that are installed by default the first.
          output = package: builtins.head (package.meta.outputsToInstall or [ (package.outputName or "out") ]);
          version = package: package.version or (builtins.parseDrvName package.name).version;
          entry = name:
            let
              package = collection.${name};
              value = {
                pname = package.pname or (builtins.parseDrvName package.name).name;
                version = version package;
                meta.description = package.meta.description or "";
              };
              tried = builtins.tryEval (if isPackage package then builtins.deepSeq value [ { inherit name value; } ] else [ ]);
            in
            if tried.success then tried.value else [ ];
        in
        {
          package =
            if isPackage found then
              { version = version found; output = output found; path = builtins.unsafeDiscardStringContext found.${output found}.outPath; }
            else
              null;
          derivation = found;
          packages = builtins.listToAttrs (builtins.concatMap entry (builtins.attrNames collection));
        }.${wanted}

        """#
}
