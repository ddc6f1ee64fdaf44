/// One container of a service, by its number from 1.
public struct Replica: Sendable, Codable, Hashable, CustomStringConvertible {
    public var service: Name
    public var number: Int

    public init(_ service: Name, _ number: Int = 1) {
        self.service = service
        self.number = number
    }

    /// `api-2`
    public var description: String { "\(service)-\(number)" }

    /// What it is called among `count`: an only one by the name of its service.
    public func name(among count: Int) -> String { count > 1 ? description : service.value }
}

extension Service {
    /// The containers it is to have, in order.
    public var containers: [Replica] { (0..<max(0, replicas)).map { Replica(name, $0 + 1) } }
}
