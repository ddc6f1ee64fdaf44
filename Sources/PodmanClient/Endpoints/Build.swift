import AsyncHTTPClient
import NIOCore

extension PodmanClient {
    /// Builds an image by Podman's own process from a tar of the context and returns its id. `progress` gets the build's lines.
    ///
    /// Podman 4.3 ignores `idmappingoptions` on this path (RUN steps are root of the host) and takes a network by path only as a namespace
    /// option; use it for contexts that are trusted.
    /// - Throws: `PodmanError` with the build's own error.
    public func buildImage<Bytes: AsyncSequence & Sendable>(
        context: Bytes, tag: String, containerfile: String = "Dockerfile", arguments: [String: String] = [:], target: String? = nil,
        networkNamespace: String? = nil, progress: @Sendable (String) async throws -> Void = { _ in }
    ) async throws -> String where Bytes.Element == [UInt8] {
        var query = [("t", tag), ("dockerfile", containerfile), ("layers", "true"), ("rm", "true"), ("forcerm", "true")]
        if !arguments.isEmpty { query.append(("buildargs", try Query.json(arguments))) }
        if let target { query.append(("target", target)) }
        if let networkNamespace {
            query.append(("nsoptions", try Query.json([NamespaceOption(name: "network", host: false, path: networkNamespace)])))
        }
        let call = Call(
            method: .POST, path: "/build", query: query, body: .stream(context.map { ByteBuffer(bytes: $0) }, length: .unknown),
            contentType: "application/x-tar", isRepeatable: false, timeout: .hours(6))
        var last = ""
        for try await line in PodmanLines<BuildLine>(body: try await send(call).body) {
            if let error = line.error { throw PodmanError(status: 200, message: error) }
            guard let text = line.stream else { continue }
            for part in text.split(separator: "\n") {
                last = String(part)
                try await progress(last)
            }
        }
        return last
    }
}

private struct BuildLine: Decodable, Sendable { var stream: String?, error: String? }

private struct NamespaceOption: Encodable {
    var name: String
    var host: Bool
    var path: String

    enum CodingKeys: String, CodingKey { case name = "Name", host = "Host", path = "Path" }
}
