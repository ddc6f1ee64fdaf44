import CommandRunner
import FileWork

@testable import NixPackages

/// A collection of packages with the face of nixpkgs, small enough for a test.
enum TinyNixpkgs {
    /// - Parameter version: of `hello`.
    static func text(version: String = "2.12") -> String {
        """
        { system, config, overlays }:
        let
          make = name: version: derivation {
            inherit system;
            name = "${name}-${version}";
            builder = "/bin/sh";
            args = [ "-c" "/bin/mkdir -p $out/bin; echo '#!/bin/sh' > $out/bin/${name}; echo 'echo ${version}' >> $out/bin/${name}; /bin/chmod +x $out/bin/${name}" ];
          } // { pname = name; inherit version; meta.description = "prints ${version}"; };
        in
        {
          hello = make "hello" "\(version)";
          hello_1 = make "hello" "1.8";
          hello_1_old = make "hello" "1.10";
          broken = throw "not for this system";
          lib.trim = text: text;
          set.inner = make "inner" "1";
          nosy = make "nosy" (builtins.readFile "/etc/hostname");
        }

        """
    }

    /// Writes a folder with `TinyNixpkgs`; without `nosy`, which reads a file of the host.
    static func folder(in parent: String, version: String = "2.12", isNosy: Bool = false) throws -> String {
        let folder = "\(parent)/channel"
        try TrustedFiles.makeDirectories(folder, mode: 0o755)
        let lines = text(version: version).split(separator: "\n", omittingEmptySubsequences: false)
        let kept = isNosy ? lines : lines.filter { !$0.contains("nosy") }
        try TrustedFiles.replace("\(folder)/default.nix", with: kept.joined(separator: "\n"))
        return folder
    }

    /// Writes `COMMIT.tar.gz` with the collection.
    /// - Returns: the folder with the archive.
    static func archive(commit: String, in parent: String) async throws -> String {
        let archives = "\(parent)/archives"
        try TrustedFiles.makeDirectories("\(archives)/nixpkgs-\(commit)", mode: 0o755)
        let folder = try folder(in: parent)
        let runner = SystemCommandRunner()
        try await runner.succeed("cp", ["\(folder)/default.nix", "\(archives)/nixpkgs-\(commit)/"])
        try await runner.succeed("tar", ["-czf", "\(archives)/\(commit).tar.gz", "-C", archives, "nixpkgs-\(commit)"])
        return archives
    }
}
