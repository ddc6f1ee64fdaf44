import NIOCore
import NIOHTTP2

/// The numbers of the connection between kilnd and kiln-agent.
enum WireSettings {
    /// Bytes that may be under way on one stream before its reader takes some. The ceiling of what a slow reader costs in memory.
    static let streamWindow = 1 << 20
    /// Bytes under way on all streams together. NIO gives this window back on receipt, not on reading: a slow stream never closes it.
    static let connectionWindow = 8 << 20
    /// Largest JSON message, in bytes.
    static let maximumMessage = 16 << 20
    /// How many bytes `ByteChannel.next` hands out at most when it merges what has gathered.
    static let readSize = 1 << 17
    static let pingInterval = TimeAmount.seconds(10)
    /// After so many pings without a sign of life the peer is given up; fewer would take a host that is short of CPU for a dead one.
    static let toleratedPings = 3

    /// Both ends are ours and have proved who they are, so the limits that NIO sets against hostile peers are widened: every session that
    /// ends before its input does costs a reset, and there may be many at once.
    static var http2: NIOHTTP2Handler.Configuration {
        var configuration = NIOHTTP2Handler.Configuration()
        configuration.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 1 << 16),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .enablePush, value: 0),
        ]
        configuration.connection.targetWindowSize = connectionWindow
        configuration.connection.maximumRecentlyResetStreams = 4096
        configuration.stream.targetWindowSize = streamWindow
        configuration.stream.outboundBufferSizeHighWatermark = 1 << 16
        configuration.stream.outboundBufferSizeLowWatermark = 1 << 15
        configuration.stream.streamResetFrameRateLimit.maximumCount = 30_000
        return configuration
    }
}

/// Names of header fields and paths.
enum WireNames {
    static let enginePrefix = "/engine/"
    static let accept = "/accept"
    static let workspace = "kiln-workspace"
    static let peerUser = "kiln-peer-uid"
}

/// The connection or a stream of it broke before what was under way had ended.
struct WireError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// What a wire operation throws for `error`: cancellations stay what they are.
    static func wrapping(_ error: any Error) -> any Error {
        switch error {
        case is CancellationError, is WireError: error
        default: WireError("\(error)")
        }
    }
}
