import KilnModel
import Testing

@testable import LinuxNetwork

@Suite struct RulesetTests {
    private func tables() throws -> [Table] {
        let instance = try Instance(name: Name("t-1"), slot: 9)
        return [.host(instance), .router(instance), .workspace, .environment(uplink: AddressPlan.environment(3))]
    }

    @Test func everyTableIsUnderstood() async throws {
        try await NetworkNamespace.temporary(.router) { namespace in
            for table in try tables() {
                try await Nftables.check(table.replacing, in: namespace)
                try await Nftables.check(table.ensuring, in: namespace)
            }
            #expect(try await Nftables.list("list ruleset", in: namespace) == "", "a check changes nothing")
        }
    }

    @Test func ensuringATableTwiceGivesTheSameTable() async throws {
        try await NetworkNamespace.temporary(.router) { namespace in
            for table in try tables() {
                try await namespace.perform { try table.ensureHere() }
                let once = try await Nftables.list("list table ip \(table.name)", in: namespace)
                try await namespace.perform { try table.ensureHere() }
                #expect(try await Nftables.list("list table ip \(table.name)", in: namespace) == once)
                try await Nftables.apply(Table.removing(table.name), in: namespace)
                try await Nftables.apply(Table.removing(table.name), in: namespace)
            }
        }
    }

    @Test func aTableIsRecognisedUntilSomebodyChangesIt() async throws {
        try await NetworkNamespace.temporary(.router) { namespace in
            for table in try tables() {
                try await namespace.perform { try table.ensureHere() }
                #expect(table.matches(listing: try await Nftables.list("list table ip \(table.name)", in: namespace)))
                let chain = try #require(table.chains.last)
                for damage in ["insert rule ip \(table.name) \(chain.name) accept", "flush chain ip \(table.name) \(chain.name)"] {
                    try await Nftables.apply(damage, in: namespace)
                    #expect(!table.matches(listing: try await Nftables.list("list table ip \(table.name)", in: namespace)))
                    try await namespace.perform { try table.ensureHere() }
                    #expect(table.matches(listing: try await Nftables.list("list table ip \(table.name)", in: namespace)))
                }
                try await Nftables.apply(Table.removing(table.name), in: namespace)
            }
        }
    }

    @Test func aTableOfOtherRulesIsNotRecognised() async throws {
        try await NetworkNamespace.temporary(.router) { namespace in
            let (first, second) = (Table.environment(uplink: AddressPlan.environment(1)), Table.environment(uplink: AddressPlan.environment(2)))
            try await namespace.perform { try first.ensureHere() }
            try await Nftables.apply("add element ip kiln addresses { 198.18.0.1 : 198.18.128.1 }", in: namespace)
            try await namespace.perform { try second.ensureHere() }
            let listing = try await Nftables.list("list table ip kiln", in: namespace)
            #expect(second.matches(listing: listing) && !first.matches(listing: listing))
            #expect(listing.contains("\(AddressPlan.environment(2))") && !listing.contains("\(AddressPlan.environment(1))"))
            #expect(listing.contains("198.18.0.1 : 198.18.128.1"), "the elements stay")
            #expect(listing.occurrences(of: "chain made_of_") == 1)
        }
    }

    @Test func ensuringKeepsElementsAndReplacesWhatStandsInTheWay() async throws {
        try await NetworkNamespace.temporary(.router) { namespace in
            try await Nftables.apply(
                "add table ip kiln\nadd chain ip kiln input { type filter hook output priority filter; policy accept; }", in: namespace)
            try await namespace.perform { try Table.workspace.ensureHere() }
            #expect((try await Nftables.list("list table ip kiln", in: namespace)).contains("hook input"))
            let element = "198.18.0.1 . tcp . 8080 : 127.0.0.1 . 3000"
            try await Nftables.apply("add element ip kiln intercepts { \(element) }\nflush chain ip kiln output", in: namespace)
            try await namespace.perform { try Table.workspace.ensureHere() }
            let listing = try await Nftables.list("list table ip kiln", in: namespace)
            #expect(listing.contains(element) && Table.workspace.matches(listing: listing))
        }
    }

    @Test func aRefusedTransactionChangesNothingAndSaysWhy() async throws {
        try await NetworkNamespace.temporary(.router) { namespace in
            let error = await #expect(throws: KilnError.self) {
                try await Nftables.apply("add table ip good\nadd rule ip good missing accept\n", in: namespace)
            }
            #expect(error?.message.contains("missing") == true)
            let left = try await Nftables.list("list tables", in: namespace)
            #expect(left.isEmpty)
            await #expect(throws: KilnError.self) { try await Nftables.apply("nonsense", in: namespace) }
        }
    }

    @Test func onlyTheInstancesOwnInterfaceIsSpokenOfOnTheHost() throws {
        let instance = try Instance(name: Name("t-1"), slot: 9)
        for line in Table.host(instance).replacing.split(separator: "\n") where line.hasPrefix("add rule") && !line.contains(" from_router ") {
            #expect(line.contains("\"kiln-t-10\""), "\(line)")
        }
        #expect(!Table.host(instance).replacing.contains("policy drop"))
    }

    @Test func mapsHoldAddressesAndPairs() {
        let elements = ServiceMaps.elements([RoutedService(index: 1)])
        #expect(elements.values == ["addresses": ["198.18.0.1": "198.18.128.1"], "replicas": [:], "own": ["198.18.128.1 . 198.18.128.1": ""]])
        let three = ServiceMaps.elements([RoutedService(index: 1, containers: [1, 1025, 2049])])
        #expect(three.keys(of: "addresses").isEmpty && three.keys(of: "own").count == 3)
        let shares = Dictionary(grouping: three.values["replicas", default: [:]].values) { $0 }.mapValues(\.count)
        #expect(shares == ["198.18.128.1": 40, "198.18.132.1": 40, "198.18.136.1": 40])
        #expect(ServiceMaps.ends(three) == [AddressPlan.virtual(1): Set([1, 1025, 2049].map(AddressPlan.container))])
    }

    @Test func mapsComeBackFromTheKernelAsTheyWentIn() async throws {
        try await NetworkNamespace.temporary(.router) { namespace in
            try await namespace.perform { try Table.environment(uplink: AddressPlan.environment(1)).ensureHere() }
            func current() async throws -> SetElements {
                try await namespace.perform { try Nftables.elementsHere(of: ServiceMaps.collections, in: "kiln") }
            }
            let many = (1...40).map { RoutedService(index: $0) }
            var present = try await current()
            #expect(present == ServiceMaps.elements([]))
            let spread = RoutedService(index: 3, containers: [3, 1027, 4099])
            let fewer = RoutedService(index: 3, containers: [3, 1027])
            for services in [many, Array(many[5..<9]), [], [RoutedService(index: 3)], [spread], [fewer], many] {
                let wanted = ServiceMaps.elements(services)
                try await Nftables.apply(wanted.changes(from: present, table: "kiln").joined(separator: "\n"), in: namespace)
                present = try await current()
                #expect(present == wanted)
                #expect(wanted.changes(from: present, table: "kiln").isEmpty)
            }
        }
    }
}

extension String {
    fileprivate func occurrences(of text: String) -> Int { ranges(of: text).count }
}
