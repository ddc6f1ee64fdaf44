import AsyncHTTPClient
import NIOCore

extension PodmanClient {
    /// Whether an image is in the store.
    /// - Throws: `PodmanError`.
    public func imageExists(_ reference: String) async throws -> Bool {
        try await perform(Call(method: .GET, path: "/images/\(Query.escape(reference))/exists"), accepting: [204, 404]) == 204
    }

    /// An image by name or id.
    /// - Throws: `PodmanError`; 404 when there is none.
    public func inspectImage(_ reference: String) async throws -> ImageInspection {
        try await decode(Call(method: .GET, path: "/images/\(Query.escape(reference))/json"))
    }

    /// Fetches an image from its registry and returns its id. `progress` gets Podman's lines.
    /// - Throws: `PodmanError` with what the registry or the network said.
    public func pullImage(_ reference: String, progress: @Sendable (String) async throws -> Void = { _ in }) async throws -> String {
        struct Line: Decodable, Sendable { var stream: String?, error: String?, id: String? }
        let call = Call(method: .POST, path: "/images/pull", query: [("reference", reference)], timeout: .hours(6))
        var id: String?
        for try await line in PodmanLines<Line>(body: try await send(call).body) {
            if let error = line.error { throw PodmanError(status: 200, message: error) }
            if let text = line.stream { try await progress(text) }
            id = line.id ?? id
        }
        guard let id else { throw PodmanError(status: 200, message: "Podman ended the pull of \(reference) without an image.") }
        return id
    }

    /// Makes an image of one layer from a tar of a root filesystem and returns its id.
    /// - Throws: `PodmanError`.
    public func importImage<Bytes: AsyncSequence & Sendable>(_ tar: Bytes, reference: String) async throws -> String where Bytes.Element == [UInt8] {
        let call = Call(
            method: .POST, path: "/images/import", query: [("reference", reference)],
            body: .stream(tar.map { ByteBuffer(bytes: $0) }, length: .unknown), contentType: "application/x-tar", isRepeatable: false,
            timeout: .hours(1))
        return try await decode(call, as: ImportAnswer.self).id
    }

    /// Removes an image; done when it is gone already.
    /// - Throws: `PodmanError`; 409 when a container uses it and `force` is false.
    public func removeImage(_ reference: String, force: Bool = false) async throws {
        let call = Call(method: .DELETE, path: "/images/\(Query.escape(reference))", query: [("force", String(force))])
        try await perform(call, accepting: [200, 404])
    }

    /// All images with a name.
    /// - Throws: `PodmanError`.
    public func listImages() async throws -> [ListedImage] {
        try await decode(Call(method: .GET, path: "/images/json"))
    }
}

private struct ImportAnswer: Decodable {
    var id: String

    enum CodingKeys: String, CodingKey { case id = "Id" }
}
