import Foundation
import Testing

/// Everybody who looks a name up gets the same answer: glibc, dig, Go's own resolver, musl, and Node's c-ares.
struct Names {
    let instance: TestInstance
    private let lookups = [
        "getent ahosts NAME | cut -d' ' -f1", "dig +short NAME", "dig +tcp +short NAME", "lookup-go NAME", "lookup-musl NAME",
        "node /opt/names/lookup.js NAME",
    ]
    private let recordLookups = ["dig +short NAME SRV", "lookup-go --srv NAME", "node /opt/names/lookup.js --srv NAME"]

    func check() async throws {
        let files = ["compose.yaml", "more.yaml"].map { instance.file("Names/\($0)") }
        try await instance.kl("env", "create", "names", "--file", files[0])
        try await addresses([
            "db": "198.18.0.2", "db.names": "198.18.0.2", "database.internal": "198.18.0.2", "storage": "198.18.0.2", "storage.names": "198.18.0.2",
            "database.internal.names": "198.18.0.2", "api": "198.18.0.3",
            "api.names": "198.18.0.3", "api-1": "198.18.128.3", "api-2": "198.18.132.3", "api-2.names": "198.18.132.3", "once": "198.18.0.4",
            "api-3": "", "late": "", "nothing": "", "nothing.db.names": "",
        ])
        // `nothing.names` is not asked for: an environment may be called like a domain of the world, so what it does not know is the world's.
        try await records([
            "_5432._tcp.db": "0 0 5432 db.", "_pg._tcp.db": "0 0 5432 db.", "_53._udp.db": "0 0 53 db.", "_5432._tcp.db.names": "0 0 5432 db.names.",
            "_5432._tcp.storage": "0 0 5432 storage.", "_pg._tcp.storage.names": "0 0 5432 storage.names.", "_5433._tcp.db": "", "_5432._udp.db": "",
            "_5432._tcp.nothing": "",
        ])
        // At most a second old: dig shows the time to live.
        for name in ["db A", "_pg._tcp.db SRV"] {
            let lives = try await inside("dig +noall +answer \(name) | awk '{print $2}'")
            #expect(["0\n", "1\n"].contains(lives), "\(name): \(lives)")
        }
        try await refusals()

        // A change is seen by the next query.
        try await instance.kl("env", "apply", "names", "--file", files[0], "--file", files[1])
        try await addresses(["late": "198.18.0.2", "db": "198.18.0.2", "api-3": "198.18.136.3"])
        try await records(["_5433._tcp.db": "0 0 5433 db.", "_5433._tcp.late": "0 0 5433 late."])
        try await instance.kl("env", "apply", "names", "--file", files[0])
        try await addresses(["late": "", "api-3": "", "storage": "198.18.0.2"])
        try await records(["_5433._tcp.db": "", "_pg._tcp.storage": "0 0 5432 storage."])
        try await instance.kl("env", "delete", "names", "--yes", "--volumes")
    }

    /// What has no container to answer refuses at once, by TCP and by UDP.
    private func refusals() async throws {
        let script = """
            import socket, time
            begin = time.monotonic()
            try: socket.create_connection(("once", 8080), 5)
            except ConnectionRefusedError: print("tcp refused")
            link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            link.settimeout(5)
            link.connect(("once", 53))
            link.send(b"x")
            try: link.recv(1)
            except ConnectionRefusedError: print("udp refused")
            print("at once" if time.monotonic() - begin < 2 else "late")
            """
        #expect(try await inside("python3 -c '\(script)'") == "tcp refused\nudp refused\nat once\n")
    }

    private func addresses(_ wanted: [String: String]) async throws { try await expect(wanted, lookups) }
    private func records(_ wanted: [String: String]) async throws { try await expect(wanted, recordLookups) }

    /// Looks every name up by every way, in one go. Nothing: there is no such name.
    private func expect(_ wanted: [String: String], _ lookups: [String]) async throws {
        let questions = wanted.keys.sorted().flatMap { name in lookups.map { (name, $0.replacingOccurrences(of: "NAME", with: name)) } }
        let script = questions.map { "echo \"$(\($0.1) 2>/dev/null | sort -u | tr '\\n' ' ')\"" }.joined(separator: "\n")
        let answers = try await inside(script).split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        try #require(answers.count == questions.count + 1, "one line for each question")
        for ((name, question), answer) in zip(questions, answers) { #expect(answer == wanted[name], "\(question)") }
    }

    private func inside(_ script: String) async throws -> String {
        try await instance.tryKl("env", "exec", "names", "probe", "-T", "--", "bash", "-c", script).output
    }
}
