import Foundation
import Testing

/// `make up` and `make purge` on hosts with and without Nix, each in a folder and namespaces of its own.
@Suite struct NixOnTheHost {
    @Test func `purge removes of Nix what make up made, and nothing that was there before or came since`() async throws {
        let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..").standardized.path
        let result = try await Program.run(
            "/usr/bin/unshare",
            [
                "--mount", "--propagation", "private", "--net", "--pid", "--fork", "/bin/bash", "\(checkout)/Tests/EndToEndTests/Host/nix-host.sh",
                checkout,
            ])
        #expect(result.status == 0, "\(result.errors)\(result.output)")
    }
}
