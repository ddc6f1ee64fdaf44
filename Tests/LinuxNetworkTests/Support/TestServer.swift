import Dispatch
import Glibc
import KilnModel
import Synchronization

@testable import LinuxNetwork

/// A small server in a namespace. TCP: answers every piece it receives with `WORD from PEER`. UDP likewise; on port 53 with a DNS answer
/// that has `address`.
final class TestServer: Sendable {
    private let sockets: Mutex<[CInt]>

    /// Set once the thread that reads datagrams is done: until then it keeps its socket alive, which takes what is sent.
    private let reading: DispatchSemaphore?

    private init(_ socket: CInt, reading: DispatchSemaphore? = nil) {
        sockets = Mutex([socket])
        self.reading = reading
    }

    deinit {
        // Wakes whoever waits in accept or read; the threads close what they hold.
        sockets.withLock { list in
            for socket in list {
                shutdown(socket, CInt(SHUT_RDWR))
                reading?.wait()
                close(socket)
            }
        }
    }

    /// - Parameter dualStack: an IPv6 socket that takes IPv4 peers, as Node's and Java's servers do.
    /// - Parameter isMute: reads and never answers.
    static func tcp(
        _ word: String, in namespace: NetworkNamespace, at address: IPv4Address = .unspecified, port: UInt16, dualStack: Bool = false,
        isMute: Bool = false
    ) async throws -> TestServer {
        try await namespace.perform {
            let listener = try bound(dualStack ? AF_INET6 : AF_INET, SOCK_STREAM, address, port)
            guard listen(listener, 64) == 0 else { throw SystemCallError.last("listen on port \(port)") }
            let server = TestServer(listener)
            Worker.start { [weak server] in
                while true {
                    let connection = accept(listener, nil, nil)
                    guard connection >= 0, let server else { return }
                    server.sockets.withLock { $0.append(connection) }
                    Worker.start { answer(connection, word: word, isMute: isMute) }
                }
            }
            return server
        }
    }

    static func udp(_ word: String, in namespace: NetworkNamespace, at address: IPv4Address = .unspecified, port: UInt16) async throws -> TestServer {
        try await serve(in: namespace, at: address, port: port) { _, peer in Array("\(word) from \(peer)".utf8) }
    }

    /// A name server that answers every question with one address.
    static func dns(_ answer: IPv4Address, in namespace: NetworkNamespace, at address: IPv4Address) async throws -> TestServer {
        try await serve(in: namespace, at: address, port: 53) { query, _ in
            guard query.count > 12 else { return [] }
            var bytes = query
            bytes[2] = 0x81
            bytes[3] = 0x80
            bytes[7] = 1
            return bytes + [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4] + answer.networkBytes
        }
    }

    private static func serve(
        in namespace: NetworkNamespace, at address: IPv4Address, port: UInt16, _ reply: @escaping @Sendable ([UInt8], IPv4Address) -> [UInt8]
    ) async throws -> TestServer {
        try await namespace.perform {
            let number = try bound(AF_INET, SOCK_DGRAM, address, port)
            let done = DispatchSemaphore(value: 0)
            Worker.start {
                defer { done.signal() }
                var buffer = [UInt8](repeating: 0, count: 1500)
                while true {
                    var peer = sockaddr_in()
                    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                    let count = withUnsafeMutablePointer(to: &peer) {
                        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(number, &buffer, buffer.count, 0, $0, &length) }
                    }
                    // 0 and no sender: shut down. Errors of answers that found nobody come here too.
                    if count == 0 || (count < 0 && errno != ECONNREFUSED && errno != EHOSTUNREACH) { return }
                    guard count > 0 else { continue }
                    let bytes = reply(Array(buffer[..<count]), IPv4Address(bits: UInt32(bigEndian: peer.sin_addr.s_addr)))
                    _ = withUnsafePointer(to: &peer) {
                        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(number, bytes, bytes.count, 0, $0, length) }
                    }
                }
            }
            return TestServer(number, reading: done)
        }
    }

    private static func answer(_ connection: CInt, word: String, isMute: Bool) {
        var peer = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let code = withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(connection, $0, &length) }
        }
        guard code == 0 else { return }
        let bytes = withUnsafeBytes(of: &peer) { Array($0) }
        let address = peer.sin6_family == sa_family_t(AF_INET6) ? Array(bytes[20..<24]) : Array(bytes[4..<8])
        let reply = Array("\(word) from \(IPv4Address(address[0], address[1], address[2], address[3]))".utf8)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while recv(connection, &buffer, buffer.count, 0) > 0 {
            if isMute { continue }
            guard send(connection, reply, reply.count, CInt(MSG_NOSIGNAL)) > 0 else { return }
        }
    }

    private static func bound(_ family: CInt, _ type: __socket_type, _ address: IPv4Address, _ port: UInt16) throws -> CInt {
        let number = socket(family, CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw SystemCallError.last("open a socket") }
        var on: CInt = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        let code: CInt
        if family == AF_INET6 {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            code = withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
            }
        } else {
            code = TestClient.withAddress(address, port) { bind(number, $0, $1) }
        }
        guard code == 0 else { throw SystemCallError.last("bind to \(address):\(port)") }
        return number
    }
}

/// A thread for a loop that blocks. It inherits the namespace of the thread that starts it.
enum Worker {
    private final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let pointer = Unmanaged.passRetained(Job(body))
        let code = pthread_create(
            &thread, nil,
            { pointer in
                if let pointer { Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue().body() }
                return nil
            }, pointer.toOpaque())
        precondition(code == 0)
        pthread_detach(thread)
    }
}
