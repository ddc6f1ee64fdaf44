import Foundation
import Testing

/// Packages from Debian, in a real store, seen by shells that are open.
@Suite("Packages", .serialized)
struct Packages {
    @Test("A package is there in a shell already open, in every kind of shell, in the next workspace at once, and after suspend and resume")
    func packages() async throws {
        try await TestInstance.with { instance in
            try await instance.kl("ws", "create", "hello")
            #expect(try await instance.inside("hello", "command -v jq").status != 0)
            try await openShell(instance)
            try await everyShell(instance)
            try await otherWorkspace(instance)
            try await suspend(instance)
            try await containment(instance)
            try await remove(instance)
        }
    }

    /// The shell's process waits for a line, so that it was open before the package came.
    private func openShell(_ instance: TestInstance) async throws {
        let shell = Task { try await instance.inside("hello", "touch ready; until [ -e go ]; do sleep 0.1; done; echo '{\"a\":[1,2]}' | jq -c .a") }
        try await waitUntil("the shell is open", within: 30) { try await instance.inside("hello", "test -e ready").status == 0 }
        try await instance.kl("pkg", "add", "jq", "--workspace", "hello")
        _ = try await instance.inside("hello", "touch go")
        let result = try await shell.value
        #expect(result.output == "[1,2]\n", "\(result.errors)")
        #expect(try await instance.inside("hello", "readlink -f $(command -v jq)").output.hasPrefix("/nix/store/"))
    }

    private func everyShell(_ instance: TestInstance) async throws {
        for shell in [
            ["jq", "--version"], ["bash", "-c", "jq --version"], ["bash", "-lc", "jq --version"], ["sh", "-c", "jq --version"],
            ["sh", "-lc", "jq --version"], ["bash", "-ic", "jq --version"], ["zsh", "-lc", "jq --version"],
        ] {
            let result = try await instance.tryKl(["ws", "exec", "hello", "--"] + shell)
            #expect(result.status == 0 && result.output.hasPrefix("jq-"), "\(shell): \(result.errors)")
        }
        let environment = try await instance.inside("hello", "printf '%s\\n' \"$MANPATH\" \"$XDG_DATA_DIRS\" \"$SSL_CERT_FILE\"; locale charmap")
        #expect(
            environment.output == """
                /opt/kiln/packages/profile/share/man:
                /opt/kiln/packages/profile/share:/usr/local/share:/usr/share
                /etc/ssl/certs/ca-certificates.crt
                UTF-8

                """)
    }

    private func otherWorkspace(_ instance: TestInstance) async throws {
        try await instance.kl("ws", "create", "other")
        #expect(try await instance.inside("other", "command -v jq").status != 0)
        let added = try await instance.tryKl("ws", "exec", "other", "--", "kl", "pkg", "add", "jq")
        #expect(added.status == 0, "\(added.errors)")
        #expect(try await instance.inside("other", "jq -n 1").output == "1\n")
        try await instance.kl("ws", "delete", "other", "--yes")
        #expect(try await instance.inside("hello", "jq -n 1").output == "1\n")
    }

    private func suspend(_ instance: TestInstance) async throws {
        try await instance.kl("ws", "suspend", "hello")
        try await instance.kl("ws", "resume", "hello")
        #expect(try await instance.inside("hello", "jq -n 1").output == "1\n")
        // Neither daemon has to run for what is there.
        for daemon in ["kilnd", "kiln-agent"] { try await instance.kill(daemon) }
        try await instance.startServer()
        try await instance.startAgent()
        try await waitUntil("both daemons are back", within: 60) { try await instance.inside("hello", "jq -n 1").output == "1\n" }
    }

    /// Root inside can write neither the store nor the view, and sees no socket of Nix.
    private func containment(_ instance: TestInstance) async throws {
        for attempt in [
            "sudo touch /nix/store/x", "sudo touch /opt/kiln/packages/x", "sudo ln -sfn / /opt/kiln/packages/profile", "sudo touch /opt/kiln/etc/x",
            "sudo mount -o remount,rw /nix/store", "test -e /nix/var",
        ] {
            #expect(try await instance.inside("hello", attempt).status != 0, "\(attempt)")
        }
    }

    private func remove(_ instance: TestInstance) async throws {
        try await instance.kl("pkg", "remove", "jq", "--workspace", "hello")
        #expect(try await instance.inside("hello", "command -v jq").status != 0)
        try await instance.kl("pkg", "rollback", "--workspace", "hello")
        #expect(try await instance.inside("hello", "jq -n 1").output == "1\n")
    }
}
