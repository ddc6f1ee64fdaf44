import Foundation
import Testing

/// What a reboot takes away: every process, mount, namespace and link of an instance, and all below `/run`. The disk stays.
struct Reboot {
    let instance: TestInstance

    func check() async throws {
        _ = try await instance.inside("hello", "echo before > ~/reboot; sync")
        try await instance.kl("ws", "create", "asleep")
        try await instance.kl("ws", "suspend", "asleep")
        try await lose()
        #expect(try await instance.traces().filter { !$0.hasPrefix("folder /var/lib") } == [])

        try instance.makeRuntimeDirectories()
        try await instance.startServer()
        try await instance.startAgent()
        // Nobody says a word to it: what ran runs again, and what was connected is connected.
        try await waitUntil("the workspace and its connection are back", within: 120) {
            try await instance.inside("hello", "cat ~/reboot && curl -sf -m 5 http://api:8080/healthz").output.hasPrefix("before\n{")
        }
        #expect(try await instance.tryKl("ws", "exec", "asleep", "--", "true").status == 5, "what was suspended stays so")
        try await instance.kl("ws", "delete", "asleep", "--yes")
    }

    private func lose() async throws {
        for title in ["kilnd", "kiln-agent", "podman"] { try await instance.kill(title) }
        try await waitUntil("no process is left", within: 30) {
            let left = try await processes()
            for process in left { kill(process, SIGKILL) }
            return left.isEmpty
        }
        let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).split(separator: "\n").map {
            String($0.split(separator: " ")[4])
        }
        for point in mounts.reversed() where point.contains("/\(instance.prefix)/") || point.contains("/\(instance.prefix)-") {
            // One that went with another is gone already.
            _ = try await Program.run("/usr/bin/umount", ["--lazy", point])
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: "/run/netns") where name.hasPrefix("\(instance.prefix)-") {
            try await Program.check("/usr/sbin/ip", ["netns", "delete", name])
        }
        _ = try await Program.run("/usr/sbin/ip", ["link", "delete", "\(instance.prefix)0"])
        try await Program.check("/usr/sbin/nft", ["delete", "table", "ip", instance.prefix])
        try FileManager.default.removeItem(atPath: instance.runtimeDirectory)
    }

    /// Everything in the instance's cgroups and namespaces, and what names its folders.
    private func processes() async throws -> Set<Int32> {
        var found: Set<Int32> = []
        for process in try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init) {
            let words =
                (FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data())
                + (FileManager.default.contents(atPath: "/proc/\(process)/cgroup") ?? Data())
            let text = String(decoding: words, as: UTF8.self)
            if text.contains("/\(instance.prefix)/") || text.contains("\(instance.prefix)-") { found.insert(process) }
        }
        return found
    }
}
