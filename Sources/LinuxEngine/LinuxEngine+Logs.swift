import FoundationEssentials
public import KilnModel
import PodmanClient
public import WorkspaceEngine

extension LinuxEngine {
    public func logs(_ request: LogRequest, output: @escaping @Sendable (LogLine) async throws -> Void) async throws {
        let container: String
        var service: Name?
        switch request.source {
        case .workspace(let id): container = containerName(of: id)
        case .service(let environment, let name):
            container = containerName(of: name, in: environment)
            service = name
        }
        try await containers.asKilnError("read the log of \(container)") {
            let lines = LogLineReader(service: service)
            do {
                for try await piece in try await containers.client.containerLogs(
                    container, follow: request.follow, tail: request.tail, timestamps: true)
                {
                    if let line = lines.take(piece) { try await output(line) }
                }
            } catch let error as PodmanError where error.isNoSuchContainer {
                // Nothing ran yet, so nothing was printed.
            }
        }
    }
}

/// Turns pieces of a container's log into lines. A piece begins with an RFC 3339 time and a space. Pure.
struct LogLineReader {
    let service: Name?

    func take(_ piece: ContainerLog.Element) -> LogLine? {
        var text = String(decoding: piece.bytes, as: UTF8.self)
        if text.hasSuffix("\n") { text.removeLast() }
        guard let space = text.firstIndex(of: " ") else { return nil }
        let time = Self.seconds(text[..<space])
        return LogLine(service: service, time: time, channel: piece.isError ? .error : .output, text: String(text[text.index(after: space)...]))
    }

    private static func seconds(_ text: Substring) -> Double {
        // Podman writes nine digits of fraction, which the parser does not take.
        let whole = text.prefix(19) + "Z"
        let offset = text.dropFirst(19).drop { $0 == "." || $0.isNumber }
        guard let date = try? Date(String(whole.dropLast()) + (offset.isEmpty ? "Z" : String(offset)), strategy: .iso8601) else { return 0 }
        let fraction = Double("0" + text.dropFirst(19).prefix { $0 == "." || $0.isNumber }) ?? 0
        return date.timeIntervalSince1970 + fraction
    }
}
