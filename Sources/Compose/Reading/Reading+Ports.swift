import KilnModel

/// Nothing is published on the host: of a port the container's side counts. The host's side is still read, so that a slip in it is not lost.
extension Reading {
    /// Ports that one service may name.
    private static let maximumPorts = 1024

    /// - Returns: the ports, and the names that some of them are given. A name that is none for DNS is for people only.
    func ports(_ node: YAMLNode) -> (ports: [ServicePort], named: [NamedPort]) {
        guard !node.isNull, let items = items(node, "“ports”") else { return ([], []) }
        var list = PortList()
        var seen: Set<String> = []
        var named: [NamedPort] = []
        for item in items {
            // As the Compose specification's schema has it; of two files that are merged the reader has taken one.
            if let text = item.plainText, !seen.insert(text).inserted {
                refuse(item.position, "“\(text.printable(limit: 80))” is named twice in “ports”.", hint: "Remove one of them.")
                continue
            }
            if case .mapping(let entries) = item.content {
                guard let port = longPort(entries, at: item.position) else { continue }
                add([port], at: item.position, to: &list, "“ports”")
                let text = entries.first { $0.key == "name" }?.value.plainText
                if let name = text.flatMap({ try? PortName($0) }) { named.append(NamedPort(name: name, port: port)) }
            } else if let text = filledText(item, "A port") {
                if let ports = shortPorts(text, at: item.position) { add(ports, at: item.position, to: &list, "“ports”") }
            }
        }
        return (list.ports, named)
    }

    func exposed(_ node: YAMLNode) -> [ServicePort] {
        guard !node.isNull, let items = items(node, "“expose”") else { return [] }
        var list = PortList()
        for item in items {
            guard let text = filledText(item, "A port") else { continue }
            guard let (range, transport) = containerSide(text), !text.contains(":") else {
                refuse(item.position, "“\(text.printable(limit: 80))” is not a port.", hint: Self.exposeHint)
                continue
            }
            add(range.map { ServicePort($0, transport) }, at: item.position, to: &list, "“expose”")
        }
        return list.ports
    }

    private static let exposeHint = "Write 8080, 8080/udp or 8080-8090."
    private static let portHint = "Write 8080, 80:8080, 127.0.0.1:80:8080, 8000-8010:8000-8010 or 53:53/udp."

    /// `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, each port a number or a range.
    private func shortPorts(_ text: String, at position: Position) -> [ServicePort]? {
        let cut = text.lastIndex(of: ":")
        let container = cut.map { String(text[text.index(after: $0)...]) } ?? text
        let host = cut.map { String(text[..<$0]) }.flatMap { $0.isEmpty ? nil : $0 }
        guard let (range, transport) = containerSide(container) else {
            let isSCTP = container.hasSuffix("/sctp")
            let message = "“\(text.printable(limit: 80))” is not a port\(isSCTP ? ": services speak tcp or udp" : "")."
            refuse(position, message, hint: Self.portHint)
            return nil
        }
        if let host, !isHostSide(host, for: range) {
            refuse(position, "“\(text.printable(limit: 80))” is not a port: its host side is wrong.", hint: Self.portHint)
            return nil
        }
        return range.map { ServicePort($0, transport) }
    }

    private func containerSide(_ text: String) -> (ClosedRange<UInt16>, TransportProtocol)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let range = Self.portRange(parts[0]) else { return nil }
        guard parts.count == 2 else { return (range, .tcp) }
        return TransportProtocol(rawValue: parts[1].lowercased()).map { (range, $0) }
    }

    /// `[IP:]PORTS`, where a range is as long as the container's, or the container's is one port. An empty port means any.
    private func isHostSide(_ text: String, for container: ClosedRange<UInt16>) -> Bool {
        var ports = text
        if let cut = text.lastIndex(of: ":") {
            guard isAddress(String(text[..<cut])) else { return false }
            ports = String(text[text.index(after: cut)...])
            if ports.isEmpty { return true }
        }
        guard let range = Self.portRange(ports) else { return false }
        return container.count == 1 || range.count == container.count
    }

    private func isAddress(_ text: String) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            let inner = text.dropFirst().dropLast()
            return !inner.isEmpty && inner.utf8.allSatisfy { "0123456789abcdefABCDEF:.".utf8.contains($0) }
        }
        return IPv4Address(text) != nil
    }

    static func portRange(_ text: String) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { number(String($0)).flatMap(UInt16.init(exactly:)) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first > 0, first <= last else { return nil }
        return first...last
    }

    private func longPort(_ entries: [YAMLNode.Entry], at position: Position) -> ServicePort? {
        var target: UInt16?
        var transport = TransportProtocol.tcp
        for entry in entries {
            guard KnownKeys.port.supported.contains(entry.key) else {
                refuseUnknown(entry, in: "a port", among: .port)
                continue
            }
            guard !entry.value.isNull, let text = text(entry.value, "“\(entry.key)”") else { continue }
            // Compose writes an empty one for “any”.
            if text.isEmpty, entry.key == "published" || entry.key == "host_ip" { continue }
            let isRight: Bool
            switch entry.key {
            case "target":
                target = Self.number(text).flatMap(UInt16.init(exactly:)).flatMap { $0 > 0 ? $0 : nil }
                isRight = target != nil
            case "protocol":
                let named = TransportProtocol(rawValue: text.lowercased())
                transport = named ?? .tcp
                isRight = named != nil
            case "published": isRight = Self.portRange(text) != nil
            case "host_ip": isRight = isAddress(text) || isAddress("[\(text)]")
            case "mode": isRight = text == "host" || text == "ingress"
            default: isRight = true
            }
            if !isRight {
                refuse(entry.value.position, "“\(text.printable(limit: 80))” is not right for “\(entry.key)” of a port.", hint: Self.longHint)
            }
        }
        if !entries.contains(where: { $0.key == "target" }) { refuse(position, "The port lacks its “target”.", hint: Self.longHint) }
        return target.map { ServicePort($0, transport) }
    }

    private static let longHint = "Write {target: 8080, protocol: tcp}, say."

    private struct PortList {
        var ports: [ServicePort] = []
        var seen: Set<ServicePort> = []
    }

    private func add(_ ports: [ServicePort], at position: Position, to list: inout PortList, _ what: String) {
        guard list.ports.count + ports.count <= Self.maximumPorts else {
            refuse(
                position, "More than \(Self.maximumPorts) ports are named in \(what).",
                hint: "Every port is reachable anyway; name those that matter.")
            return
        }
        // Two ports of a host may lead to one of the container.
        for port in ports where list.seen.insert(port).inserted { list.ports.append(port) }
    }
}
