import Glibc
import KilnModel
import Testing

@testable import LinuxNetwork

@Suite struct NamespaceTests {
    @Test func settingsLandInTheNewNamespaceOnly() async throws {
        let before = try await NetworkNamespace.host.perform { try Sysctl.read("ipv4/icmp_ratelimit") }
        try await NetworkNamespace.temporary(.container) { namespace in
            let inside = try await namespace.perform {
                try [
                    "ip_unprivileged_port_start", "ping_group_range", "icmp_ratelimit", "ip_forward", "conf/default/rp_filter", "conf/all/arp_ignore",
                ].map { try Sysctl.read("ipv4/\($0)") }
            }
            #expect(inside == ["0", "0\t2147483647", "0", "0", "1", "0"])
            #expect(try await NetworkNamespace.host.perform { try Sysctl.read("ipv4/icmp_ratelimit") } == before)
            #expect(try await NetworkNamespace.host.perform { try Sysctl.read("ipv4/ip_unprivileged_port_start") } == "1024")
        }
        try await NetworkNamespace.temporary(.router) { router in
            let forwards = try await router.perform { try Sysctl.read("ipv4/ip_forward") }
            #expect(forwards == "1")
        }
    }

    @Test func workInsideNeverMovesTheCaller() async throws {
        let home = try inode("/proc/self/ns/net")
        try await NetworkNamespace.temporary { namespace in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        let inside = try await namespace.perform { try inode("/proc/thread-self/ns/net") }
                        #expect(inside == (try inode(namespace.path)))
                        #expect(try inode("/proc/thread-self/ns/net") == home)
                    }
                }
                try await group.waitForAll()
            }
            await #expect(throws: KilnError.self) { try await namespace.perform { throw SystemCallError(number: EPERM, action: "try") } }
        }
        await #expect(throws: KilnError.self) { try await NetworkNamespace("ktest-nowhere").perform {} }
    }

    @Test func namesAreReadBackStrictly() throws {
        let instance = try Instance(name: Name(Instance.defaultName), slot: 0)
        let names = NamespaceNames(instance)
        let id = ResourceID.random()
        let owners: [NamespaceNames.Owner] = [.router, .build, .workspace(id), .environment(id), .service(environment: id, index: 12)]
        for owner in owners { #expect(names.owner(of: names.namespace(of: owner).name) == owner) }
        // Of an instance “w” and an instance “s”: theirs, though they begin like ours.
        for other in ["w", "s", "e", "router"] {
            let foreign = NamespaceNames(try Instance(name: Name(other), slot: 1))
            for owner in owners { #expect(names.owner(of: foreign.namespace(of: owner).name) == nil) }
        }
        for text in [
            "kiln-s-\(id)-01", "kiln-s-\(id)-", "kiln-w-", "kiln-w-\(id)-", "kiln-w-UPPERCASE0", "kiln-", "kiln", "kilnx-router", "kiln-s-\(id)--1",
        ] {
            #expect(names.owner(of: text) == nil, "\(text)")
        }
    }

    @Test func interfaceNamesFit() throws {
        let longest = try Instance(name: Name("abcdefgh"), slot: 0)
        let owners: [NamespaceNames.Owner] = [
            .router, .build, .workspace(.random()), .environment(.random()), .service(environment: .random(), index: AddressPlan.maximumIndex),
        ]
        for name in owners.map(NamespaceNames.interface) + [longest.hostInterface] { #expect(name.utf8.count <= 15) }
    }

    private func inode(_ path: String) throws -> UInt {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemCallError.last("look at \(path)") }
        return status.st_ino
    }
}
