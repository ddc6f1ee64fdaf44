import CLinux
import Glibc
import KilnModel
import Testing

@testable import LinuxNetwork

@Suite struct MessageTests {
    @Test func aRouteBecomesTheBytesTheKernelDocuments() {
        let route = Route.via(
            IPv4Address(169, 254, 1, 1), link: 7, to: IPv4Prefix(.init(198, 18, 0, 0), 16), source: IPv4Address(198, 19, 0, 1), metric: 5)
        let bytes = NetlinkRequest.replaceRoute(route).message.encoded(sequence: 3)
        #expect(
            bytes == [
                68, 0, 0, 0, 24, 0, 0x01, 0x05, 3, 0, 0, 0, 0, 0, 0, 0,  // nlmsghdr: RTM_NEWROUTE; REQUEST, REPLACE, CREATE
                2, 16, 0, 0, 254, 75, 0, 1, 4, 0, 0, 0,  // rtmsg: main table, ours, universe, unicast, onlink
                8, 0, 1, 0, 198, 18, 0, 0,  // RTA_DST
                8, 0, 4, 0, 7, 0, 0, 0,  // RTA_OIF
                8, 0, 5, 0, 169, 254, 1, 1,  // RTA_GATEWAY
                8, 0, 7, 0, 198, 19, 0, 1,  // RTA_PREFSRC
                8, 0, 6, 0, 5, 0, 0, 0,  // RTA_PRIORITY
            ])
    }

    @Test func messagesReadBackWhatWasWritten() throws {
        var message = NetlinkMessage(type: RTM_NEWLINK, header: ifinfomsg())
        message.append(IFLA_IFNAME, "eth0")
        message.append(IFLA_LINKINFO) { $0.appendAttribute(IFLA_INFO_KIND, "veth".utf8) }
        message.append(IFLA_IFALIAS, bytes: Array("environment x".utf8))
        let stream = message.encoded(sequence: 1) + message.encoded(sequence: 2)
        let replies = NetlinkReply.parse(stream[...])
        #expect(replies.map(\.sequence) == [1, 2])
        let link = try #require(Link(replies[1]))
        #expect(link.name == "eth0" && link.kind == "veth" && link.alias == "environment x" && !link.isUp)
    }

    @Test func brokenBytesAreNeverFollowedOutOfBounds() {
        var generator = SystemRandomNumberGenerator()
        var message = NetlinkMessage(type: RTM_NEWLINK, header: ifinfomsg())
        message.append(IFLA_IFNAME, "eth0")
        message.append(IFLA_LINKINFO) { $0.appendAttribute(IFLA_INFO_KIND, "veth".utf8) }
        let whole = message.encoded(sequence: 1)
        for _ in 0..<2000 {
            var bytes = Array(whole.prefix(Int.random(in: 0...whole.count, using: &generator)))
            for _ in 0..<3 where !bytes.isEmpty { bytes[Int.random(in: 0..<bytes.count)] = .random(in: 0...255) }
            for reply in NetlinkReply.parse(bytes[...]) {
                _ = (Link(reply), Route(reply), InterfaceAddress(reply), Conntrack.Entry(reply), reply.errorText)
            }
        }
    }

    @Test func theKernelsOwnWordsReachTheError() async throws {
        try await NetworkNamespace.temporary { namespace in
            let error = await #expect(throws: KilnError.self) {
                try await namespace.perform {
                    let socket = try NetlinkSocket.route()
                    let loopback = try socket.existingLink(named: "lo").index
                    let bad = Route.via(link: loopback, to: IPv4Prefix(.init(10, 0, 0, 0), 8), source: IPv4Address(1, 2, 3, 4))
                    // One that fails does not keep the next from being carried out.
                    try socket.send([.replaceRoute(bad), .replaceAddress(IPv4Address(10, 1, 1, 1), link: loopback)])
                }
            }
            #expect(error?.message == "Could not set the route to 10.0.0.0/8: Invalid argument (Invalid prefsrc address).")
            let addresses = try await namespace.perform { try NetlinkSocket.route().addresses().map(\.address) }
            #expect(addresses.contains(IPv4Address(10, 1, 1, 1)))
        }
    }

    @Test func aQueryIsWhatTheStandardSays() throws {
        #expect(
            try DNSMessage.query("db.lan", id: 0x1234)
                == [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 100, 98, 3, 108, 97, 110, 0, 0, 1, 0, 1])
        #expect(throws: DNSMessage.Failure.invalidName) { try DNSMessage.query("a..b", id: 1) }
        #expect(throws: DNSMessage.Failure.invalidName) { try DNSMessage.query(String(repeating: "a", count: 64), id: 1) }
        #expect(throws: DNSMessage.Failure.invalidName) {
            try DNSMessage.query(Array(repeating: "abcdefgh", count: 30).joined(separator: "."), id: 1)
        }
    }

    @Test func answersAreReadThroughAliasesAndPointers() throws {
        let question = try DNSMessage.query("db", id: 9)
        let header: [UInt8] = [0, 9, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]
        let alias: [UInt8] = [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, 120, 0xc0, 12]
        let address: [UInt8] = [1, 120, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 198, 18, 0, 5]
        let whole = header + question[12...] + alias + address
        #expect(try DNSMessage.answer(whole, id: 9) == .init(code: 0, addresses: [IPv4Address(198, 18, 0, 5)]))
        #expect(throws: DNSMessage.Failure.malformed) { try DNSMessage.answer(whole, id: 8) }
        #expect(throws: DNSMessage.Failure.malformed) { try DNSMessage.answer(question, id: 9) }
        for count in 0..<whole.count {
            #expect(throws: DNSMessage.Failure.malformed) { try DNSMessage.answer(Array(whole[..<count]), id: 9) }
        }
    }

    @Test func mappedAddressesAreRecognised() {
        let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xff, 0xff, 198, 19, 0, 1]
        #expect(OpenSocket.address(mapped, family: UInt8(AF_INET6)) == IPv4Address(198, 19, 0, 1))
        #expect(OpenSocket.address([0x20, 1] + Array(repeating: 0, count: 14), family: UInt8(AF_INET6)) == nil)
        #expect(OpenSocket.address([198, 19, 0, 1] + Array(repeating: 0, count: 12), family: UInt8(AF_INET)) == IPv4Address(198, 19, 0, 1))
    }
}
