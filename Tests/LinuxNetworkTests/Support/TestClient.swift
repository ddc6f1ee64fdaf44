import Glibc
import KilnModel

@testable import LinuxNetwork

/// A connection, or a UDP socket, opened in a namespace and used from anywhere.
final class TestClient: Sendable {
    let number: CInt

    private init(_ number: CInt) { self.number = number }

    deinit { close(number) }

    /// What came of asking: the reply, or why there was none.
    enum Outcome: Hashable, Sendable {
        case reply(String)
        /// ECONNREFUSED.
        case refused
        /// EHOSTUNREACH, ENETUNREACH: answered at once, not waited for.
        case unreachable
        case timedOut
        case failed(CInt)

        init(_ code: CInt) {
            switch code {
            case ECONNREFUSED: self = .refused
            case EHOSTUNREACH, ENETUNREACH: self = .unreachable
            case EAGAIN, EINPROGRESS, ETIMEDOUT: self = .timedOut
            default: self = .failed(code)
            }
        }
    }

    /// Opens a socket in `namespace`, optionally from `source` and its port, connected to the peer.
    /// - Throws: `SystemCallError` with connect's errno.
    static func open(
        _ transport: TransportProtocol = .tcp, in namespace: NetworkNamespace, to address: IPv4Address, port: UInt16, source: IPv4Address? = nil,
        sourcePort: UInt16 = 0
    ) async throws -> Result<TestClient, CallFailure> {
        try await namespace.perform {
            let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
            let client = TestClient(socket(AF_INET, CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0))
            client.setTimeout(milliseconds: 1500)
            if source != nil || sourcePort != 0, withAddress(source ?? .unspecified, sourcePort, { bind(client.number, $0, $1) }) != 0 {
                return .failure(CallFailure(number: errno))
            }
            guard withAddress(address, port, { connect(client.number, $0, $1) }) == 0 else { return .failure(CallFailure(number: errno)) }
            return .success(client)
        }
    }

    struct CallFailure: Error, Hashable { let number: CInt }

    /// Connects, sends, and waits for the reply, at most 1.5 s.
    static func ask(
        _ transport: TransportProtocol = .tcp, in namespace: NetworkNamespace, _ address: IPv4Address, _ port: UInt16, source: IPv4Address? = nil
    ) async throws -> Outcome {
        switch try await open(transport, in: namespace, to: address, port: port, source: source) {
        case .failure(let failure): return Outcome(failure.number)
        case .success(let client): return try await client.ask()
        }
    }

    func ask(_ bytes: [UInt8] = Array("hello".utf8)) async throws -> Outcome {
        try await DedicatedThread.run {
            guard send(self.number, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else { return Outcome(errno) }
            return self.receive()
        }
    }

    /// Blocks in read until something comes; 0 bytes count as a reply of "".
    func receive() -> Outcome {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(number, &buffer, buffer.count, 0)
        return count >= 0 ? .reply(String(decoding: buffer[..<count], as: UTF8.self)) : Outcome(errno)
    }

    func setTimeout(milliseconds: Int) {
        var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    static func withAddress<T>(_ address: IPv4Address, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr = in_addr(s_addr: address.bits.bigEndian)
        return withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
