import Glibc
public import KilnModel

/// Looks through the data path, from inside a namespace, whether what should work does.
public enum Probe {
    public enum NameResult: Hashable, Sendable {
        case resolved([IPv4Address])
        /// The server answered that it has none; the code as in `DNSMessage.Answer`.
        case failed(code: UInt8)
        /// Nobody listens where the resolver should be, or there is no way to it.
        case unreachable
        case timedOut
    }

    public enum ConnectResult: Hashable, Sendable {
        case open
        /// A reset: by the peer, whose port is closed, or by a rule on the path, which refuses a service without a running container alike.
        case refused
        /// There is no way: no route here or on the path.
        case unreachable
        case timedOut
    }

    /// Asks the resolver for the IPv4 addresses of `name` over UDP. Asks again after 200 ms without an answer.
    public static func resolve(
        _ name: String, in namespace: NetworkNamespace, resolver: IPv4Address = AddressPlan.resolver, timeout: Duration
    ) async throws -> NameResult {
        try await namespace.perform { try resolveHere(name, resolver: resolver, timeout: timeout) }
    }

    /// Opens a TCP connection, and closes it.
    public static func connect(to address: IPv4Address, port: UInt16, in namespace: NetworkNamespace, timeout: Duration) async throws -> ConnectResult
    {
        try await namespace.perform { try openHere(to: address, port: port, timeout: timeout).result }
    }

    /// A connection that a probe opened, closed with its last reference.
    struct Opened {
        let result: ConnectResult
        let local: (address: IPv4Address, port: UInt16)
        let socket: Descriptor
    }

    /// Opens a TCP connection in the calling `DedicatedThread`'s namespace, its packets marked with `dscp`.
    static func openHere(to address: IPv4Address, port: UInt16, timeout: Duration, dscp: UInt8 = 0) throws -> Opened {
        let deadline = ContinuousClock.now + timeout
        let (socket, code) = try openSocket(CInt(SOCK_STREAM.rawValue), to: address, port: port, dscp: dscp)
        let local = try ownName(socket)
        if code == EINPROGRESS {
            guard wait(for: Int16(POLLOUT), on: socket, until: deadline) else { return Opened(result: .timedOut, local: local, socket: socket) }
            return Opened(result: try result(of: pendingError(socket)), local: local, socket: socket)
        }
        return Opened(result: try result(of: code), local: local, socket: socket)
    }

    private static func resolveHere(_ name: String, resolver: IPv4Address, timeout: Duration) throws -> NameResult {
        let deadline = ContinuousClock.now + timeout
        let id = UInt16.random(in: .min ... .max)
        let query: [UInt8]
        do { query = try DNSMessage.query(name, id: id) } catch {
            throw KilnError(.invalidName, "“\(name.printable(limit: 80))” is not a name DNS can carry.")
        }
        let (socket, code) = try openSocket(CInt(SOCK_DGRAM.rawValue), to: resolver, port: 53)
        guard code == 0 else { return .unreachable }
        while ContinuousClock.now < deadline {
            guard send(socket.number, query, query.count, 0) == query.count else { return .unreachable }
            let patience = min(deadline, ContinuousClock.now + .milliseconds(200))
            while wait(for: Int16(POLLIN), on: socket, until: patience) {
                var buffer = [UInt8](repeating: 0, count: 1500)
                let count = recv(socket.number, &buffer, buffer.count, 0)
                guard count >= 0 else { return .unreachable }
                // Something else than our answer: go on listening.
                guard let answer = try? DNSMessage.answer(Array(buffer[..<count]), id: id) else { continue }
                return answer.code == 0 && !answer.addresses.isEmpty ? .resolved(answer.addresses) : .failed(code: answer.code)
            }
        }
        return .timedOut
    }

    private static func result(of code: CInt) throws -> ConnectResult {
        switch code {
        case 0: return .open
        case ECONNREFUSED, ECONNRESET: return .refused
        case EHOSTUNREACH, ENETUNREACH, EACCES, ENETDOWN, EHOSTDOWN: return .unreachable
        case ETIMEDOUT: return .timedOut
        default: throw SystemCallError(number: code, action: "open a probe's connection")
        }
    }

    /// A non-blocking socket and what connecting it gave: 0, EINPROGRESS or an error.
    private static func openSocket(_ type: CInt, to address: IPv4Address, port: UInt16, dscp: UInt8 = 0) throws -> (socket: Descriptor, code: CInt) {
        let number = socket(AF_INET, type | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { throw SystemCallError.last("open a probe's socket") }
        let descriptor = Descriptor(number)
        // The six upper bits of the type of service.
        var service = CInt(dscp) << 2
        if dscp != 0, setsockopt(number, CInt(IPPROTO_IP), IP_TOS, &service, socklen_t(MemoryLayout<CInt>.size)) != 0 {
            throw SystemCallError.last("mark a probe's packets")
        }
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = port.bigEndian
        peer.sin_addr = in_addr(s_addr: address.bits.bigEndian)
        let code = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        return (descriptor, code == 0 ? 0 : errno)
    }

    private static func ownName(_ socket: Descriptor) throws -> (address: IPv4Address, port: UInt16) {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket.number, $0, &length) }
        }
        guard code == 0 else { throw SystemCallError.last("read a probe's own address") }
        return (IPv4Address(bits: UInt32(bigEndian: name.sin_addr.s_addr)), UInt16(bigEndian: name.sin_port))
    }

    private static func pendingError(_ socket: Descriptor) -> CInt {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(socket.number, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }

    /// Whether the event (or an error) came before the deadline.
    private static func wait(for events: Int16, on socket: Descriptor, until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let left = deadline - ContinuousClock.now
            guard left > .zero else { return false }
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
            var request = pollfd(fd: socket.number, events: events, revents: 0)
            let count = poll(&request, 1, CInt(clamping: milliseconds))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }
}
