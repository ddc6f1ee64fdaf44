import Foundation
import Testing

/// What root inside a workspace cannot do. Every "no path" has its positive control: the same path, opened when allowed.
struct Containment {
    let instance: TestInstance

    func check() async throws {
        try await links()
        try await setuid()
        try await sockets()
        try await network()
    }

    /// A symlink where root would mount, write or delete leads nowhere.
    private func links() async throws {
        let bait = "/var/tmp/\(instance.prefix)-bait"
        try FileManager.default.createDirectory(atPath: bait, withIntermediateDirectories: true)
        try Data("precious".utf8).write(to: URL(fileURLWithPath: "\(bait)/file"))
        defer { try? FileManager.default.removeItem(atPath: bait) }
        try await instance.kl("ws", "create", "trick")
        _ = try await instance.inside("trick", "cd ~ && rm -rf ~/workspaces/trick && ln -s \(bait) ~/workspaces/trick")
        try await instance.kl("ws", "suspend", "trick")
        let resumed = try await instance.tryKl("ws", "resume", "trick")
        #expect(
            try await instance.tryKl("ws", "exec", "trick", "--", "cat", "\(bait)/file").output.contains("precious") == false, "\(resumed.errors)")
        try await instance.kl("ws", "delete", "trick", "--yes")
        #expect(FileManager.default.contents(atPath: "\(bait)/file") == Data("precious".utf8))

        // The whole folder of workspaces as a link.
        try await instance.kl("machine", "create", "linked")
        try await instance.kl("ws", "create", "one", "--workmachine", "linked")
        _ = try await instance.inside("one", "mkdir -p ~/aside/one; rm -rf ~/workspaces; ln -s \(bait) ~/workspaces; sudo ln -s / ~/root")
        try await instance.kl("ws", "delete", "one", "--yes")
        #expect(FileManager.default.fileExists(atPath: "\(bait)/file"))
        try await instance.kl("machine", "delete", "linked", "--yes")
        #expect(FileManager.default.fileExists(atPath: "/etc/passwd"))
    }

    /// A setuid file made by root inside is nobody's on the host, and the home is mounted nosuid.
    private func setuid() async throws {
        _ = try await instance.inside("hello", "sudo cp /bin/sh ~/rootsh; sudo chown root:root ~/rootsh; sudo chmod 4755 ~/rootsh")
        let machine = try await instance.id("machine", "local")
        let home = "\(instance.stateDirectory)/machines/\(machine)/home"
        var status = stat()
        #expect(stat("\(home)/rootsh", &status) == 0 && status.st_uid >= 0x1000_0000, "owned by the machine's range, not by root")
        #expect(try await instance.inside("hello", "~/rootsh -p -c 'id -u'").output == "1000\n", "nosuid")
        #expect(try await instance.inside("hello", "sudo ~/rootsh -c 'id -u'").output == "0\n", "the control: sudo does give root inside")
        // Other people on the host reach neither the home nor what is in it.
        let seen = try await Program.run("/usr/bin/setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", "/bin/ls", home])
        #expect(seen.status != 0)
    }

    private func sockets() async throws {
        let found = try await instance.inside(
            "hello", "sudo find / -xdev -type s 2>/dev/null; sudo ls /run/kiln; sudo touch /run/kiln/x 2>&1 || true")
        #expect(!found.output.contains("podman.sock") && !found.output.contains("agent.sock"))
        #expect(found.output.contains("kl.sock") && found.output.contains("Read-only file system"))
        // By its socket a workspace may look at its owner's environments, and not delete them.
        #expect(try await instance.inside("hello", "kl env show shop").status == 0)
        #expect(try await instance.inside("hello", "kl env delete shop --yes").status == 4)
        #expect(try await instance.inside("hello", "kl ws delete hello --yes").status == 4)
    }

    private func network() async throws {
        try await instance.kl("ws", "create", "peer")
        let peer = try await instance.id("ws", "peer")
        let peerAddress = try await instance.inside("peer", "ip -4 -o addr show lo scope global | sed 's/.*inet \\([0-9.]*\\).*/\\1/'").output
            .trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try await instance.inside("peer", "cd /tmp; setsid python3 -m http.server 8000 --bind 0.0.0.0 > /dev/null 2>&1 < /dev/null & true")
        let host = try await HostServer()
        defer { host.stop() }
        try await waitUntil("the peer listens", within: 10) {
            try await instance.inside("peer", "curl -s -m 2 http://127.0.0.1:8000/ > /dev/null").status == 0
        }
        try await flushNeighbours()
        let link = try await Program.check("/usr/sbin/ip", ["-4", "-o", "addr", "show", "\(instance.prefix)0"])
        let linkAddress = String(link.split(separator: " ")[3].split(separator: "/")[0])

        // Controls: the peer answers itself (above), the host's server answers the host, and PostgreSQL answers the connected workspace.
        #expect(try await Program.run("/usr/bin/curl", ["-s", "-m", "2", "http://127.0.0.1:\(host.port)/"]).output == "host")
        #expect(try await open("hello", "198.18.0.1", 5432))

        #expect(try await !open("hello", peerAddress, 8000), "another workspace")
        #expect(try await !open("hello", linkAddress, host.port), "the host's ports by the link's address")
        for address in try await hostAddresses() { #expect(try await !open("hello", address, host.port), "the host's ports by \(address)") }
        #expect(try await !open("hello", "169.254.169.254", 80), "the metadata address")
        #expect(try await !open("peer", "198.18.0.1", 5432), "a virtual address while unconnected")
        #expect(try await !open("peer", "198.18.128.1", 5432), "a container's address while unconnected")
        #expect(try await instance.inside("peer", "getent hosts postgres").status != 0)
        #expect(try await instance.inside("peer", "sudo ip route del default").status != 0, "root inside cannot change its network")

        // Nothing for the service range leaves by the uplink: the router sees no packet of it.
        let route =
            try await instance.inside("peer", "ip route get 198.18.0.1 2>&1; true").output + instance.inside("peer", "ip route get 198.18.0.1").errors
        #expect(route.contains("unreachable") || route.contains("No route to host"))

        // The same path opens when allowed.
        try await instance.kl("env", "connect", "shop", "--workspace", "peer")
        try await flushNeighbours()
        #expect(try await instance.inside("peer", "exec 3<>/dev/tcp/redis/6379; printf 'PING\\r\\n' >&3; head -n 1 <&3").output == "+PONG\r\n")
        #expect(try await !open("hello", peerAddress, 8000), "another workspace of the same environment")
        let environment = try await instance.id("env", "shop")
        let fromService = try await Program.run(
            "/usr/sbin/ip",
            ["netns", "exec", "\(instance.prefix)-s-\(environment)-1", "/usr/bin/curl", "-s", "-m", "2", "http://\(peerAddress):8000/"])
        #expect(fromService.status != 0, "a service reaches no port of a workspace")
        _ = peer
        try await instance.kl("ws", "delete", "peer", "--yes")
    }

    private func open(_ workspace: String, _ address: String, _ port: Int) async throws -> Bool {
        try await instance.inside(workspace, "timeout 2 bash -c '</dev/tcp/\(address)/\(port)' 2>/dev/null").status == 0
    }

    private func hostAddresses() async throws -> [String] {
        try await Program.check("/usr/sbin/ip", ["-4", "-o", "addr", "show", "scope", "global"]).split(separator: "\n").map {
            String($0.split(separator: " ")[3].split(separator: "/")[0])
        }
    }

    /// A neighbour entry made while a path was open must not answer for it later.
    private func flushNeighbours() async throws {
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/run/netns") where entry.hasPrefix(instance.prefix + "-") {
            try await Program.check("/usr/sbin/ip", ["-n", entry, "neigh", "flush", "all"])
        }
    }
}

/// A server on all of the host's addresses that says “host”.
struct HostServer {
    let port: Int
    private let process: Int32

    init() async throws {
        port = Int.random(in: 30000...39999)
        let program = """
            import http.server
            class H(http.server.BaseHTTPRequestHandler):
                def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"host")
            http.server.ThreadingHTTPServer(("0.0.0.0", \(port)), H).serve_forever()
            """
        process = try await Program.start("/usr/bin/python3", ["-c", program], log: "/dev/null")
        let url = "http://127.0.0.1:\(port)/"
        try await waitUntil("the host's server answers", within: 10) { try await Program.run("/usr/bin/curl", ["-s", url]).status == 0 }
    }

    func stop() { kill(process, SIGTERM) }
}
