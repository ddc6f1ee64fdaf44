/// An nftables table of family `ip`, as a value. Pure: its commands are text for `Nftables`.
struct Table: Sendable, Equatable {
    /// A named map or set, without its elements.
    struct Collection: Sendable, Equatable {
        /// `map` or `set`.
        let keyword: String
        let name: String
        /// `ipv4_addr . inet_service`, say; with `isTypeof` expressions of these types, for those that have no name.
        let type: String
        var isTypeof = false
        /// `flags timeout;`, say: what stands behind the type.
        var options = ""
    }

    struct Chain: Sendable, Equatable {
        let name: String
        /// `filter hook forward priority filter; policy drop`, say; nil: a chain that others jump to.
        let base: String?
        let rules: [String]
    }

    let name: String
    var collections: [Collection] = []
    let chains: [Chain]

    /// One transaction that makes the table exactly this, and leaves the elements of its collections alone.
    var ensuring: String { lines(["add table ip \(name)"]) }

    /// One transaction that makes the table anew, empty collections included.
    var replacing: String { lines([Self.removing(name), "add table ip \(name)"]) }

    /// An empty chain whose name tells which rules the table was made of.
    private var mark: String { Self.markPrefix + String(fingerprint, radix: 16) }
    private static let markPrefix = "made_of_"

    /// Whether a listing of the table shows these very rules: made of the same text, and as many in every chain.
    ///
    /// Setting them again would do no harm, but whoever deletes a rule waits for the kernel to let go of it, tens of milliseconds.
    func matches(listing: String) -> Bool {
        let counts = TableListing(listing).ruleCounts
        return counts[mark] == 0 && chains.allSatisfy { counts[$0.name] == $0.rules.count }
    }

    /// nft 1.0.6 wants every element, chain and rule on a line of its own.
    private func lines(_ start: [String]) -> String { (start + body + ["add chain ip \(name) \(mark)"]).joined(separator: "\n") + "\n" }

    private var body: [String] {
        var lines = collections.map { "add \($0.keyword) ip \(name) \($0.name) { \($0.isTypeof ? "typeof" : "type") \($0.type); \($0.options) }" }
        for chain in chains {
            lines.append("add chain ip \(name) \(chain.name)" + (chain.base.map { " { type \($0); }" } ?? ""))
            lines.append("flush chain ip \(name) \(chain.name)")
        }
        for chain in chains { lines += chain.rules.map { "add rule ip \(name) \(chain.name) \($0)" } }
        return lines
    }

    /// FNV-1a: tells one ruleset from the next, keeps nobody out.
    private var fingerprint: UInt64 {
        body.joined(separator: "\n").utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// Brings the calling thread's namespace to this table. One that stands in the way, from another version, is replaced.
    func ensureHere() throws {
        var stale: [String] = []
        // An error here means that the table is not there; should nftables itself fail, the next step says so.
        if let listing = try? Nftables.listHere("list table ip \(name)", .withoutElements) {
            if matches(listing: listing) { return }
            if collections.isEmpty { return try Nftables.applyHere(replacing) }
            stale = TableListing(listing).ruleCounts.keys.filter { $0.hasPrefix(Self.markPrefix) && $0 != mark }.sorted()
        }
        do {
            try Nftables.applyHere(ensuring + stale.map { "delete chain ip \(name) \($0)\n" }.joined())
        } catch {
            try Nftables.applyHere(replacing)
        }
    }

    /// The rules that refuse at once whatever matches.
    ///
    /// TCP by a reset: an ICMP error that comes back while connect() still holds its socket, as it does on one machine, is only noted,
    /// and the caller waits a second for the next attempt. The rest by an ICMP error that ends a connected UDP socket's wait.
    static func refusing(_ match: String = "", icmp: String = "admin-prohibited") -> [String] {
        let start = match.isEmpty ? "" : match + " "
        return ["\(start)meta l4proto tcp reject with tcp reset", "\(start)reject with icmp \(icmp)"]
    }

    /// Removes a table; content when there is none.
    static func removing(_ name: String) -> String { "add table ip \(name)\ndelete table ip \(name)" }
}
