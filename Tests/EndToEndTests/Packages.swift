import Foundation
import Testing

/// Packages from Debian, in a real store, seen by shells that are open.
struct Packages {
    let instance: TestInstance

    func check() async throws {
        try await instance.kl("ws", "create", "hello")
        #expect(try await instance.inside("hello", "command -v jq").status != 0, "the image must not have what is tried")
        try await openShell()
        try await everyShell()
        try await secureShell()
        try await otherWorkspace()
        try await bothAtOnce()
        try await suspend()
        try await kill()
        try await containment()
        try await remove()
        try await collect()
        try await badInput()
        try await forgetHashed()
        try await callOthers()
        try await night()
    }

    /// The shell's process waits for a line, so that it was open before the package came.
    private func openShell() async throws {
        let shell = Task {
            try await instance.inside("hello", "touch ready; until [ -e go ]; do sleep 0.1; done; echo '{\"a\":[1,2]}' | jq -c .a")
        }
        try await waitUntil("the shell is open", within: 30) { try await instance.inside("hello", "test -e ready").status == 0 }
        try await instance.kl("pkg", "add", "jq", "--workspace", "hello")
        _ = try await instance.inside("hello", "touch go")
        let result = try await shell.value
        #expect(result.output == "[1,2]\n", "\(result.errors)")
        #expect(try await instance.inside("hello", "readlink -f $(command -v jq)").output.hasPrefix("/nix/store/"))
    }

    private func everyShell() async throws {
        for shell in [
            ["jq", "--version"], ["bash", "-c", "jq --version"], ["bash", "-lc", "jq --version"], ["sh", "-c", "jq --version"],
            ["sh", "-lc", "jq --version"], ["bash", "-ic", "jq --version"], ["zsh", "-lc", "jq --version"], ["sudo", "jq", "--version"],
            ["sudo", "-i", "jq", "--version"], ["sudo", "bash", "-c", "jq --version"],
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

    /// A command by SSH has no login shell, and sshd clears what it was started with.
    private func secureShell() async throws {
        let result = try await instance.inside(
            "hello",
            """
            set -e
            mkdir -p -m 700 ~/.ssh
            ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id
            cp ~/.ssh/id.pub ~/.ssh/authorized_keys
            sudo ssh-keygen -A > /dev/null
            sudo mkdir -p /run/sshd
            sudo env -i /usr/sbin/sshd -p 2222 -o PidFile=none
            for command in 'jq --version' 'sudo jq --version' 'bash -lc "jq --version"' 'printf "%s\\n" "$MANPATH" "$XDG_DATA_DIRS"'; do
                ssh -i ~/.ssh/id -p 2222 -o StrictHostKeyChecking=accept-new -o LogLevel=ERROR -o ConnectTimeout=10 127.0.0.1 "$command"
            done
            """)
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 5 && lines.prefix(3).allSatisfy { $0.hasPrefix("jq-") }, "\(result.output)\(result.errors)")
        #expect(
            lines.suffix(2) == ["/opt/kiln/packages/profile/share/man:", "/opt/kiln/packages/profile/share:/usr/local/share:/usr/share"],
            "\(result.output)")
    }

    private func otherWorkspace() async throws {
        try await instance.kl("ws", "create", "other")
        #expect(try await instance.inside("other", "command -v jq").status != 0)
        let added = try await instance.inside("other", "kl pkg add jq")
        #expect(added.status == 0 && !added.output.contains("fetched"), "nothing had to be fetched again: \(added.output)\(added.errors)")
        #expect(try await instance.inside("other", "jq -n 1").output == "1\n")
    }

    /// Two workspaces change their lists at once, over and over; neither sees anything of the other's.
    private func bothAtOnce() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for workspace in ["hello", "other"] {
                group.addTask {
                    for _ in 1...3 {
                        try await instance.kl("pkg", "remove", "jq", "--workspace", workspace)
                        #expect(try await instance.inside(workspace, "command -v jq").status != 0)
                        try await instance.kl("pkg", "add", "jq", "--workspace", workspace)
                        #expect(try await instance.inside(workspace, "jq -n 1").output == "1\n")
                    }
                }
            }
            try await group.waitForAll()
        }
        try await instance.kl("ws", "delete", "other", "--yes")
        #expect(try await instance.inside("hello", "jq -n 1").output == "1\n")
    }

    /// Shells that were open find what comes before a program that they ran already, and no more what is gone.
    private func forgetHashed() async throws {
        _ = try await instance.inside("hello", "sudo ln -s /bin/echo /usr/local/bin/sl")
        for shell in ["bash -i", "bash -il", "zsh -i", "zsh -il"] {
            let lines = [
                "sl image", "kl pkg add sl > /dev/null", "command -v sl; hash | grep -c '/usr/local/bin/sl'", "kl pkg remove sl > /dev/null",
                "sl again",
            ]
            let result = try await instance.inside("hello", "\(shell) 2>&1 <<'END'\n\(lines.joined(separator: "\n"))\nEND\n")
            for expected in ["image\n", "/opt/kiln/packages/profile/bin/sl\n0\n", "again\n"] {
                #expect(result.output.contains(expected), "\(shell): \(result.output)")
            }
        }
        _ = try await instance.inside("hello", "sudo rm /usr/local/bin/sl")
    }

    /// What a package's programs may call by name is found; before it comes what the image has.
    private func callOthers() async throws {
        #expect(try await instance.inside("hello", "command -v m4").status != 0, "the image must not have what is tried")
        let perl = try await instance.inside("hello", "command -v perl").output
        try await instance.kl("pkg", "add", "autoconf", "--workspace", "hello")
        for shell in [["sh", "-c"], ["bash", "-lc"], ["sudo", "sh", "-c"]] {
            let made = try await instance.tryKl(["ws", "exec", "hello", "--"] + shell + ["echo 'define(this, that)this' | m4"])
            #expect(made.output == "that\n", "\(shell): \(made.errors)")
        }
        #expect(try await instance.inside("hello", "command -v perl").output == perl, "the image's own comes first")
        #expect(try await instance.inside("hello", "kl pkg why m4").output.contains("autoconf"))
        try await instance.kl("pkg", "remove", "autoconf", "--workspace", "hello")
    }

    private func suspend() async throws {
        try await instance.kl("ws", "suspend", "hello")
        // A list may change meanwhile.
        try await instance.kl("pkg", "add", "tree", "--workspace", "hello")
        try await instance.kl("ws", "resume", "hello")
        #expect(try await instance.inside("hello", "jq -n 1 && tree --version").output.hasPrefix("1\ntree v"))
    }

    /// Neither daemon has to run for what is there.
    private func kill() async throws {
        for daemon in ["kilnd", "kiln-agent"] { try await instance.kill(daemon) }
        try await instance.startServer()
        try await instance.startAgent()
        try await waitUntil("both daemons are back", within: 60) { try await instance.inside("hello", "jq -n 1").output == "1\n" }
    }

    /// Root inside can write neither the store nor the view, and sees no socket of Nix.
    private func containment() async throws {
        // Files of the host belong to nobody inside, so that a write would be refused for two reasons: each is looked at.
        for path in ["/nix/store", "/opt/kiln/packages", "/opt/kiln/etc"] {
            let options = try await instance.inside("hello", "findmnt --noheadings --output OPTIONS \(path)").output
            #expect(options.hasPrefix("ro,"), "\(path): \(options)")
            #expect(try await instance.inside("hello", "stat -c %U \(path)").output != "root\n", "\(path)")
        }
        for attempt in [
            "sudo touch /nix/store/x", "sudo touch /opt/kiln/packages/x", "sudo ln -sfn / /opt/kiln/packages/profile", "sudo touch /opt/kiln/etc/x",
            "sudo mount -o remount,rw /nix/store", "test -e /nix/var",
        ] {
            #expect(try await instance.inside("hello", attempt).status != 0, "\(attempt)")
        }
    }

    private func remove() async throws {
        try await instance.kl("pkg", "remove", "jq", "--workspace", "hello")
        #expect(try await instance.inside("hello", "command -v jq").status != 0)
        #expect(try await instance.inside("hello", "tree --version").status == 0, "only what was named is removed")
        try await instance.kl("pkg", "rollback", "--workspace", "hello")
        #expect(try await instance.inside("hello", "jq -n 1").output == "1\n")
        try await instance.kl("pkg", "rollback", "0", "--workspace", "hello")
        #expect(try await instance.inside("hello", "command -v jq tree").output.isEmpty)
    }

    /// The owner collects while somebody adds; what can be rolled back to stays. A workspace may not ask for it.
    private func collect() async throws {
        async let collection = instance.tryKl("pkg", "gc", "--yes", "--json")
        let added = try await instance.tryKl("pkg", "add", "tree", "--workspace", "hello")
        #expect(added.status == 0, "\(added.errors)")
        #expect(try await instance.inside("hello", "tree --version").output.hasPrefix("tree v"))
        let collected = try await collection
        #expect(collected.status == 0 && collected.output.contains("freed"), "\(collected.errors)")
        try await instance.kl("pkg", "rollback", "1", "--workspace", "hello")
        #expect(try await instance.inside("hello", "jq -n 1").output == "1\n")
        let refused = try await instance.inside("hello", "kl pkg gc --yes")
        #expect(refused.status != 0 && refused.errors.contains("workspace"), "\(refused.errors)")
        try await instance.kl("pkg", "rollback", "0", "--workspace", "hello")
    }

    /// What cannot be had is named, with what can.
    private func badInput() async throws {
        for (wish, hint) in [
            ("ripgrpe", "Did you mean ripgrep"), ("jq@99", "1.6"), ("$(id)", "is not a package name"), ("../jq", "is not a package name"),
            ("\";", "is not a package name"),
        ] {
            let result = try await instance.tryKl("pkg", "add", wish, "--workspace", "hello")
            #expect(result.status != 0 && result.errors.contains(hint), "\(wish): \(result.errors)")
        }
        #expect(try await instance.inside("hello", "kl pkg list --quiet").output.isEmpty)
    }

    /// A night comes, and with it a collection: what files of the home name stays and runs, until the owner collects.
    private func night() async throws {
        try await instance.kl("ws", "create", "old", "--package", "python3", "--package", "toilet", "--package", "cmatrix")
        let made = try await instance.inside(
            "old", "set -e; python3 -m venv ~/venv; ln -s $(readlink -f $(command -v toilet)) ~/toilet; dirname $(readlink -f $(command -v cmatrix))")
        #expect(made.status == 0, "\(made.errors)")
        let unnamed = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(unnamed.hasPrefix("/nix/store/"))
        try await instance.kl("ws", "delete", "old", "--yes")

        try await instance.kill("kiln-agent")
        try await instance.startAgent(timeZone: Self.night)
        try await waitUntil("the agent collects by night", within: 120) { !FileManager.default.fileExists(atPath: unnamed) }
        try await waitUntil("commands run again", within: 60) { try await instance.inside("hello", "true").status == 0 }
        let named = "~/venv/bin/python -c 'import sys; print(sys.prefix)' && ~/toilet -f mono12 x > ~/picture && test -s ~/picture"
        let kept = try await instance.inside("hello", named)
        #expect(kept.status == 0 && kept.output == "/home/dev/venv\n", "\(kept.errors)")

        try await instance.kl("pkg", "gc", "--yes")
        #expect(try await instance.inside("hello", "~/venv/bin/python -V").status != 0, "the owner's collection looks at no home")
        #expect(try await instance.inside("hello", "~/toilet x").status != 0)
    }

    /// A time zone where it is five past three now.
    private static var night: String {
        let offset = Int(Date().timeIntervalSince1970) % 86_400 - (3 * 3600 + 300)
        // At most a day: tzset(3) has hours up to 24.
        return "KLN\(offset < 0 ? "-" : "+")\(abs(offset) / 3600):\(abs(offset) / 60 % 60)"
    }
}
