import CommandRunner
import FileWork
import FoundationEssentials
import KilnModel
import Testing

@testable import NixPackages

@Suite struct NixDerivationTests {
    @Test("A file has the path that nix-store --add-fixed gives it")
    func fixedPath() async throws {
        try await DebianFixture.with { fixture in
            let file = "\(fixture.directory)/hello+1.0_a.deb"
            try TrustedFiles.replace(file, with: "hello\n")
            let path = try await fixture.nix.run(.store, ["--add-fixed", "sha256", file])
            let digest = NixHash.hexadecimal(of: "hello\n")
            #expect(try NixHash.fixedPath(sha256: digest, name: "hello+1.0_a.deb").value + "\n" == path)
        }
    }

    @Test("A derivation's results have the paths that Nix gives them")
    func outputs() async throws {
        try await DebianFixture.with { fixture in
            let builder = try await fixture.builds.addBuilder()
            let odd = "quotes \" and \\ and\nlines and\ttabs and ${dollars} and ü"
            let derivation = NixDerivation(
                name: "test-1.0", system: DebianArchitecture.current.nixSystem, builder: "/bin/sh",
                arguments: ["-c", "echo \(odd.count) >$out; echo >$tree"],
                environment: ["recipe": odd, "zebra": "1", "PATH": "/bin:/usr/bin"], outputs: ["out", "tree"], sources: [builder])
            let recipe = DebianRecipe(archives: [], derivation: derivation)
            // Fails by itself when Nix builds another path than the one expected.
            try await fixture.builds.build([recipe], folder: fixture.directory) { _ in }
            #expect(TrustedFiles.exists(try derivation.path(of: "out").value))
            #expect(TrustedFiles.exists(try derivation.path(of: "tree").value))
        }
    }
}
