import NIOCore
import NIOPosix

/// A TCP connection on which a test writes and reads HTTP itself, byte by byte if it likes.
struct RawConnection {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private let input: Input

    /// What has come in and was not looked at.
    private final class Input {
        var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        var buffer: [UInt8] = []

        init(_ iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) { self.iterator = iterator }
    }

    static func with<Value>(port: Int, _ body: (RawConnection) async throws -> Value) async throws -> Value {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2))
                    )
                }
            }
        return try await with(channel, body)
    }

    static func with<Value>(_ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ body: (RawConnection) async throws -> Value) async throws -> Value {
        // `executeThenClose` wants a Sendable value; what the tests return need not be one.
        var value: Value?
        try await channel.executeThenClose { inbound, outbound in
            value = try await body(RawConnection(channel: channel, outbound: outbound, input: Input(inbound.makeAsyncIterator())))
        }
        guard let value else { preconditionFailure("the body has returned") }
        return value
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// One chunk of a chunked body; an empty one ends it.
    func sendChunk(_ bytes: [UInt8]) async throws {
        var buffer = ByteBuffer(string: "\(String(bytes.count, radix: 16))\r\n")
        buffer.writeBytes(bytes)
        buffer.writeString("\r\n")
        try await outbound.write(buffer)
    }

    /// The next `count` bytes.
    func read(_ count: Int) async throws -> [UInt8] {
        while input.buffer.count < count { guard try await fill() else { throw EndOfStream() } }
        defer { input.buffer.removeFirst(count) }
        return Array(input.buffer[..<count])
    }

    /// The next line, without its end.
    func line() async throws -> String {
        while true {
            if let end = input.buffer.firstIndex(of: UInt8(ascii: "\n")) {
                var line = input.buffer[..<end]
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                defer { input.buffer.removeFirst(end + 1) }
                return String(decoding: line, as: UTF8.self)
            }
            guard try await fill() else { throw EndOfStream() }
        }
    }

    func head() async throws -> (status: Int, headers: [String: String]) {
        let status = try await line().split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var headers: [String: String] = [:]
        while case let line = try await line(), !line.isEmpty {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        return (status, headers)
    }

    /// One chunk of a chunked body; empty at its end.
    func chunk() async throws -> [UInt8] {
        let size = Int(try await line(), radix: 16) ?? 0
        let bytes = try await read(size)
        _ = try await line()
        return bytes
    }

    func answer(hasBody: Bool = true) async throws -> Answer {
        let (status, headers) = try await head()
        guard hasBody, status != 204, status != 304 else { return Answer(status: status, headers: headers, body: []) }
        var body: [UInt8] = []
        if let length = headers["content-length"].flatMap({ Int($0) }) {
            body = try await read(length)
        } else if headers["transfer-encoding"] == "chunked" {
            while case let chunk = try await chunk(), !chunk.isEmpty { body += chunk }
        }
        return Answer(status: status, headers: headers, body: body)
    }

    private func fill() async throws -> Bool {
        guard let bytes = try await input.iterator.next() else { return false }
        input.buffer += bytes.readableBytesView
        return true
    }

    struct EndOfStream: Error {}
}

struct Answer: Sendable {
    let status: Int
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
}
