public import KilnModel
import NIOCore

private enum Side { case input, answer }

extension RemoteEngine {
    public func build(_ build: ImageBuild, context: ByteStream, progress: @escaping @Sendable (String) async -> Void) async throws {
        let opening = try WireJSON.encodeLine(build)
        try await withStream(.build, message: nil) { stream in
            try await exchange(
                on: stream, opening: opening, input: context, encode: { ByteBuffer(bytes: $0) },
                answer: { try await read(String.self, from: stream, progress) })
        }
    }

    public func store(_ copy: FileCopy, of copies: FileCopies, tar: ByteStream) async throws {
        let opening = try WireJSON.encodeLine(FileOpening(copy: copy, copies: copies))
        try await withStream(.storeFiles, message: nil) { stream in
            try await exchange(
                on: stream, opening: opening, input: tar, encode: { ByteBuffer(bytes: $0) },
                answer: {
                    try await expectSuccess(stream)
                    _ = try await stream.collect(upTo: WireSettings.maximumMessage)
                })
        }
    }

    public func session(_ request: SessionRequest, in workspace: WorkspaceTarget, input: SessionInput, output: @escaping SessionOutput) async throws {
        try await session(.session, SessionOpening(request: request, place: workspace), input, output)
    }

    public func session(_ request: SessionRequest, in service: ServiceReference, input: SessionInput, output: @escaping SessionOutput) async throws {
        try await session(.serviceSession, SessionOpening(request: request, place: service), input, output)
    }

    private func session(
        _ verb: EngineVerb, _ opening: SessionOpening<some Codable & Sendable>, _ input: SessionInput, _ output: @escaping SessionOutput
    ) async throws {
        let opening = try WireJSON.encodeLine(opening)
        try await withStream(verb, message: nil) { stream in
            try await exchange(
                on: stream, opening: opening, input: input, encode: { ByteBuffer(bytes: $0.encoded) },
                answer: {
                    try await expectSuccess(stream)
                    let reader = WireReader(stream)
                    while let frame = try await reader.frame() { try await output(frame) }
                })
        }
    }

    /// Sends while `answer` reads, until the answer has ended; what was not sent by then is not wanted.
    private func exchange<Element: Sendable>(
        on stream: WireStream, opening: ByteBuffer, input: AsyncThrowingStream<Element, any Error>,
        encode: @escaping @Sendable (Element) -> ByteBuffer, answer: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Side.self) { group in
            group.addTask {
                try await send(input, to: stream, opening: opening, encode: encode)
                return .input
            }
            group.addTask {
                try await answer()
                return .answer
            }
            while try await group.next() == .input {}
            group.cancelAll()
        }
    }

    /// Only an error of `input` itself is thrown. When the stream breaks or the agent stops listening, the answer says so, and better.
    private func send<Element: Sendable>(
        _ input: AsyncThrowingStream<Element, any Error>, to stream: WireStream, opening: ByteBuffer,
        encode: @Sendable (Element) -> ByteBuffer
    ) async throws {
        do {
            try await stream.send(opening)
            for try await element in input { try await stream.send(encode(element)) }
            try await stream.send(end: true)
        } catch is WireError {}
    }
}
