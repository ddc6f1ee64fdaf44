import Foundation
import NIOCore
import NIOPosix

@testable import WorkspaceEngine

/// Runs a program as another user and returns what it printed.
func runAs(_ userID: UInt32, _ command: [String]) async throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
    process.arguments = ["--reuid", "\(userID)", "--regid", "\(userID)", "--clear-groups"] + command
    let output = Pipe()
    process.standardOutput = output
    return try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { _ in
            continuation.resume(returning: String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
        }
        do {
            try process.run()
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

/// A plain client of a unix socket.
enum ClientSocket {
    /// - Parameter patience: how many times 10 ms to wait for the socket.
    static func connect(_ path: String, patience: Int = 200) async throws -> ByteChannel {
        for attempt in 0... {
            do {
                let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .channelOption(.autoRead, value: false)
                    .channelOption(.allowRemoteHalfClosure, value: true)
                    .connect(unixDomainSocketPath: path).get()
                return try await channel.eventLoop.submit { try ByteChannel(wrapping: channel) }.get()
            } catch {
                guard attempt < patience else { throw error }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        fatalError("unreachable")
    }
}

extension ByteChannel {
    /// Everything up to the peer's end.
    func readToEnd() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try await next() { bytes += more.readableBytesView }
        return bytes
    }
}
