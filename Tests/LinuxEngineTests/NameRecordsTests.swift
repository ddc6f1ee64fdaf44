import KilnModel
import Testing

@testable import LinuxEngine

@Suite struct NameRecordsTests {
    private func service(_ name: String, _ index: Int, ports: [ServicePort] = []) throws -> Service {
        Service(name: try Name(name), addressIndex: index, image: .reference(try ImageReference("localhost/x")), ports: ports)
    }

    @Test func `Every service has its name, its name with the environment's, and its aliases`() throws {
        var redis = try service("redis", 2)
        redis.aliases = [try HostName("cache.example"), try HostName("www")]
        let records = NameRecords(services: [redis, try service("postgres", 1)], environment: try Name("shop"))
        #expect(records.hosts == "198.18.0.1 postgres postgres.shop\n198.18.0.2 redis redis.shop cache.example cache.example.shop www www.shop\n")
        #expect(!records.hasPorts)
        #expect(records.servers(recordsAt: 5353).contains("server=/www.shop/\n"))
        // What has a dot would be asked of the outside.
        #expect(records.servers(recordsAt: 5353).contains("server=/postgres.shop/\nserver=/_tcp.postgres.shop/\n"))
        #expect(!records.servers(recordsAt: 5353).contains("server=/postgres/\n"), "all of .postgres is not ours")
    }

    @Test func `Each of several containers has a name of its own unless it is another's`() throws {
        var api = try service("api", 1)
        api.replicas = 3
        let records = NameRecords(services: [api, try service("api-2", 2)], environment: try Name("shop"))
        #expect(
            records.hosts == """
                198.18.0.1 api api.shop
                198.18.128.1 api-1 api-1.shop
                198.18.136.1 api-3 api-3.shop
                198.18.0.2 api-2 api-2.shop

                """)
        api.name = try Name(String(repeating: "a", count: 62))
        #expect(NameRecords(services: [api], environment: try Name("shop")).hosts.split(separator: "\n").count == 1)
    }

    @Test func `Declared ports have SRV records by number and by name`() throws {
        var api = try service("api", 1, ports: [ServicePort(8080), ServicePort(53, .udp)])
        api.namedPorts = [NamedPort(name: try PortName("http"), port: ServicePort(8080))]
        let records = NameRecords(services: [api], environment: try Name("shop"))
        #expect(
            records.records.split(separator: "\n").filter { $0.hasSuffix("api") || $0.contains(",api,") } == [
                "srv-host=_8080._tcp.api,api,8080", "srv-host=_53._udp.api,api,53", "srv-host=_http._tcp.api,api,8080",
            ])
        #expect(records.records.contains("srv-host=_http._tcp.api.shop,api.shop,8080\n"))
        #expect(records.servers(recordsAt: 5353).contains("server=/_tcp.api/127.0.0.1#5353\n"))
        for text in ["", "-a", "a-", "a--b", "80", "much-too-long-a-name", "a b"] { #expect(throws: KilnError.self) { try PortName(text) } }
    }

    @Test func `The resolver never asks the outside for names without a dot`() throws {
        let records = NameRecords(services: [], environment: try Name("shop"))
        let role = NameServerConfiguration.Role.resolver(records, upstream: AddressPlan.link(slot: 0).host)
        let text = NameServerConfiguration(role: role, listenAddress: AddressPlan.resolver, directory: "/d").text
        for line in ["server=198.19.255.1", "domain-needed", "listen-address=169.254.1.53", "local-ttl=1", "servers-file=/d/servers"] {
            #expect(text.contains("\(line)\n"))
        }
    }
}
