import Foundation
import Testing

/// The examples besides `shop`, on which the main job works: each is made from its file as it stands, and used from a connected workspace.
struct Examples {
    let instance: TestInstance

    func check() async throws {
        try await instance.kl("ws", "create", "dev")
        try await queue()
        try await web()
    }

    /// A job goes by HTTP to the queue, by the queue to a worker, and its result comes back.
    private func queue() async throws {
        try await instance.kl("env", "create", "queue", "--file", instance.example("queue/compose.yaml"))
        try await instance.kl("env", "connect", "queue", "--workspace", "dev")
        let script = """
            for i in 1 2 3 4 5 6; do
              id=$(curl -sS -m 10 --data 'to be or not to be' http://api:8080/jobs | cut -d'"' -f4)
              for try in $(seq 100); do curl -sS -m 5 --fail http://api:8080/jobs/$id 2>/dev/null && break; sleep 0.1; done
            done
            """
        let done = try await instance.inside("dev", script)
        let results = done.output.split(separator: "\n").compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        #expect(results.map { $0["words"] as? Int } == Array(repeating: 6, count: 6), "\(done.output)\(done.errors)")
        #expect(Set(results.compactMap { $0["worker"] as? String }) == ["worker", "worker-2"], "both workers work")
        let logs = try await instance.kl("env", "logs", "queue", "worker")
        #expect(logs.contains("worker-1 | done ") && logs.contains("worker-2 | done "), "\(logs)")
        try await instance.kl("env", "delete", "queue", "--yes", "--volumes")
    }

    /// A page comes out of MariaDB through the application and nginx, and is there again after the database was started afresh.
    private func web() async throws {
        try await instance.kl("env", "create", "web", "--file", instance.example("web/compose.yaml"))
        try await instance.kl("env", "connect", "web", "--workspace", "dev")
        let page = try await instance.inside("dev", "curl -sS -m 10 http://nginx/")
        #expect(page.output.contains("<h1>Guest book</h1>"), "\(page.errors)")
        let signed = try await instance.inside("dev", "curl -sS -m 10 --data text=hello http://nginx/entries")
        #expect(signed.output == "{\"entries\":[\"hello\"]}\n", "\(signed.errors)")
        try await instance.kl("env", "restart", "web", "mariadb")
        let entries = try await instance.inside("dev", "curl -sS -m 10 http://nginx/entries")
        #expect(entries.output == "{\"entries\":[\"hello\"]}\n", "\(entries.errors)")
        try await instance.kl("env", "delete", "web", "--yes", "--volumes")
    }
}
