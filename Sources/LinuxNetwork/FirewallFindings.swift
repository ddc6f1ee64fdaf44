import Glibc
import KilnModel

/// Reads from a host's ruleset what would drop an instance's packets. Pure.
///
/// An accept in a table of ours does not overrule a drop in another: every base chain of a hook has its say.
enum FirewallFindings {
    struct BaseChain: Hashable {
        let table: String
        let name: String
        let hook: String
        let drops: Bool
        /// Its rules, and those of all other chains of its table.
        let text: String
    }

    static func all(_ instance: Instance, ruleset: String) -> [HostConflicts.Finding] {
        let interface = instance.hostInterface
        return baseChains(ruleset).compactMap { chain in
            guard chain.hook == "forward" || chain.hook == "input", chain.table != "ip \(instance.prefix)" else { return nil }
            // Somebody let us through already.
            if chain.text.contains("\"\(interface)\"") { return nil }
            if chain.table.hasSuffix(" firewalld") {
                guard chain.hook == "forward" else { return nil }
                return HostConflicts.Finding(
                    code: "firewalld",
                    message: "firewalld runs and rejects what \(interface) forwards: workspaces would have neither internet nor names.",
                    mend: "Run: firewall-cmd --permanent --zone=trusted --add-interface=\(interface) && firewall-cmd --reload")
            }
            guard chain.drops else { return nil }
            return chain.hook == "forward" ? forwardDrop(chain, interface) : inputDrop(chain, interface)
        }
    }

    private static func forwardDrop(_ chain: BaseChain, _ interface: String) -> HostConflicts.Finding {
        let mend: String
        if chain.text.contains("ufw-") {
            mend = "Run: ufw route allow in on \(interface)"
        } else if chain.text.contains("DOCKER-USER") {
            mend =
                "Run: iptables -I DOCKER-USER -i \(interface) -j ACCEPT && iptables -I DOCKER-USER -o \(interface) -m conntrack "
                + "--ctstate ESTABLISHED,RELATED -j ACCEPT"
        } else {
            mend =
                "Run: nft insert rule \(chain.table) \(chain.name) iifname \(interface) accept && nft insert rule \(chain.table) \(chain.name) "
                + "oifname \(interface) ct state established,related accept"
        }
        return HostConflicts.Finding(
            code: "forward-drop",
            message: "The chain \(chain.name) of the table \(chain.table) drops forwarded packets: workspaces would have no internet.", mend: mend)
    }

    private static func inputDrop(_ chain: BaseChain, _ interface: String) -> HostConflicts.Finding {
        let mend =
            chain.text.contains("ufw-")
            ? "Run: ufw allow in on \(interface) to any port 53" : "Run: nft insert rule \(chain.table) \(chain.name) iifname \(interface) accept"
        return HostConflicts.Finding(
            code: "input-drop",
            message: "The chain \(chain.name) of the table \(chain.table) drops packets to the host: workspaces would not resolve names.", mend: mend)
    }

    /// iptables' own kernel tables are not in an nftables listing, so their policy is not known here.
    static func legacy(_ instance: Instance, tables: [String]) -> [HostConflicts.Finding] {
        guard tables.contains("filter") else { return [] }
        return [
            HostConflicts.Finding(
                code: "legacy-iptables",
                message: "The host has rules of iptables-legacy, which Kiln cannot read; a policy of DROP there would cut workspaces off.",
                mend:
                    "Look at: iptables-legacy -S FORWARD. If its policy is DROP, run: iptables-legacy -I FORWARD -i \(instance.hostInterface) -j ACCEPT && "
                    + "iptables-legacy -I FORWARD -o \(instance.hostInterface) -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT")
        ]
    }

    /// The base chains in what `list ruleset` printed, families `ip` and `inet`.
    static func baseChains(_ ruleset: String) -> [BaseChain] {
        var found: [BaseChain] = []
        for (table, lines) in tables(ruleset) where table.hasPrefix("ip ") || table.hasPrefix("inet ") {
            var chain = ""
            for line in lines {
                let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
                if words.first == "chain", words.count > 1 { chain = words[1] }
                guard words.first == "type", let hook = words.firstIndex(of: "hook"), hook + 1 < words.count else { continue }
                found.append(
                    BaseChain(
                        table: table, name: chain, hook: words[hook + 1], drops: line.contains("policy drop"), text: lines.joined(separator: "\n")))
            }
        }
        return found
    }

    private static func tables(_ ruleset: String) -> [(name: String, lines: [Substring])] {
        var tables: [(name: String, lines: [Substring])] = []
        for line in ruleset.split(separator: "\n") {
            if line.hasPrefix("table "), line.hasSuffix(" {") {
                tables.append((String(line.dropFirst("table ".count).dropLast(2)), []))
            } else if !tables.isEmpty {
                tables[tables.count - 1].lines.append(line)
            }
        }
        return tables
    }
}

/// `/proc/net` of a namespace.
enum ProcNet {
    /// Tables of iptables-legacy that have ever been used; none where its module is not loaded.
    static func legacyTables(in namespace: NetworkNamespace) throws -> [String] {
        try namespace.enter {
            let file = open("/proc/thread-self/net/ip_tables_names", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else {
                if errno == ENOENT { return [] }
                throw SystemCallError.last("read the tables of iptables-legacy")
            }
            let descriptor = Descriptor(file)
            var buffer = [UInt8](repeating: 0, count: 1024)
            let count = read(descriptor.number, &buffer, buffer.count)
            guard count >= 0 else { throw SystemCallError.last("read the tables of iptables-legacy") }
            return String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }
}
