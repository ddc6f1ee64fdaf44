internal import ArgumentParser
internal import KilnModel

struct InterceptGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intercept", abstract: "Let a workspace answer in a service's place.",
        subcommands: [InterceptStart.self, InterceptStop.self, InterceptList.self, InterceptStatusVerb.self, InterceptEnv.self], aliases: ["i"]
    )
}

extension InterceptWish.PortWish {
    /// Parses `8080:3000`, or `3000` for the port in the workspace alone; `/udp` or `/tcp` may follow.
    /// - Parameter transport: of one that does not say.
    /// - Throws: `KilnError` with `invalid-value`.
    init(text: String, transport: TransportProtocol? = nil) throws(KilnError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let sides = (parts.first ?? "").split(separator: ":", omittingEmptySubsequences: false).map { Self.number($0) }
        let suffix = parts.count == 2 ? TransportProtocol(rawValue: String(parts[1])) : nil
        guard (1...2).contains(sides.count), let target = sides.last ?? nil, let first = sides[0], parts.count == 1 || suffix != nil else {
            throw KilnError(
                .invalidValue, "“\(text.printable(limit: 40))” is not a port to intercept.",
                hint: "Write it like 8080:3000, the service's port first, or 3000; /udp may follow. Ports are 1 to 65535."
            )
        }
        self.init(number: sides.count == 2 ? first : nil, transport: suffix ?? transport, target: target)
    }

    private static func number(_ text: Substring) -> UInt16? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt16(text), number > 0 else { return nil }
        return number
    }

    /// Whether it may have led to `intercept`.
    func matches(_ intercept: Intercept) -> Bool {
        (port?.number ?? intercept.port.number) == intercept.port.number && (port?.transport ?? intercept.port.transport) == intercept.port.transport
            && (target ?? intercept.target) == intercept.target
    }
}
