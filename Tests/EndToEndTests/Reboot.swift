import Foundation
import Testing

/// What a reboot takes away: every process, mount, namespace and link of an instance, and all below `/run`. The disk stays.
struct Reboot {
    let intercepts: Intercepts
    private var instance: TestInstance { intercepts.instance }

    func check() async throws {
        _ = try await instance.inside("coder", "echo before > ~/reboot; sync")
        try await instance.kl("env", "exec", "echo", "echo", "--", "sh", "-c", "echo before > /srv/kept; sync")
        try await instance.kl("ws", "create", "asleep")
        try await instance.kl("ws", "suspend", "asleep")
        try await instance.kl("intercept", "start", "echo", "--port", "8080:3000", "--workspace", "coder")
        try await lose()
        let left = try await instance.traces()
        #expect(left.filter { !$0.hasPrefix("folder /") || $0.hasPrefix("folder /run") } == [], "what is not on the disk is gone")

        try instance.makeRuntimeDirectories()
        try await instance.startServer()
        try await instance.startAgent()
        // Nobody says a word to it: what ran runs again, and what was connected is connected.
        try await waitUntil("the workspaces, their connections and the service are back", within: 120) {
            try await instance.inside("caller", "cat ~/reboot && curl -sf -m 5 http://echo:8080/").output.hasPrefix("before\noriginal ")
        }
        #expect(try await instance.tryKl("env", "exec", "echo", "echo", "--", "cat", "/srv/kept").output == "before\n")
        #expect(try await instance.tryKl("ws", "exec", "asleep", "--", "true").status == 5, "what was suspended stays so")
        // Its program went with the machine; when somebody starts it, the intercept is what it was.
        try await intercepts.serve(in: "coder", host: "127.0.0.1")
        try await waitUntil("the intercept is back", within: 10) {
            try await instance.inside("caller", "curl -sf -m 5 http://echo:8080/").output.hasPrefix("workspace ")
        }
        try await instance.kl("intercept", "stop", "--workspace", "coder")
        try await instance.kl("ws", "delete", "asleep", "--yes")
    }

    private func lose() async throws {
        for title in ["kilnd", "kiln-agent", "podman"] { try await instance.kill(title) }
        try await waitUntil("no process is left", within: 30) {
            let left = try await processes()
            for process in left { kill(process, SIGKILL) }
            return left.isEmpty
        }
        try await waitUntil("no mount is left", within: 30) {
            let mounts = try mounts()
            // What lies within another goes first; one that went with another is gone already.
            for point in mounts.reversed() { _ = try await Program.run("/usr/bin/umount", ["--lazy", point]) }
            return mounts.isEmpty
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: "/run/netns") where name.hasPrefix("\(instance.prefix)-") {
            try await Program.check("/usr/sbin/ip", ["netns", "delete", name])
        }
        _ = try await Program.run("/usr/sbin/ip", ["link", "delete", "\(instance.prefix)0"])
        try await Program.check("/usr/sbin/nft", ["delete", "table", "ip", instance.prefix])
        try FileManager.default.removeItem(atPath: instance.runtimeDirectory)
    }

    private func mounts() throws -> [String] {
        try Program.text("/proc/self/mountinfo").split(separator: "\n").map { String($0.split(separator: " ")[4]) }
            .filter { $0.contains("/\(instance.prefix)/") || $0.contains("/\(instance.prefix)-") }
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
