import KilnModel
import NIOCore
import NIOHPACK

/// The answer to one call. Its head goes out with the first bytes, so that an error before them can still be told by the status.
actor WireAnswer {
    /// How a failure is told once the head has gone.
    enum Form { case value, lines, frames }

    private let stream: WireStream
    private let form: Form
    private var begun = false

    init(_ stream: WireStream, form: Form) {
        self.stream = stream
        self.form = form
    }

    /// Sends a part of the answer.
    func send(_ buffer: ByteBuffer) async throws { try await enqueue(status: "200", buffer) }

    /// Ends the answer, with a last part.
    func end(_ buffer: ByteBuffer? = nil) async throws { try await enqueue(status: "200", buffer, end: true) }

    /// Ends the answer with an error.
    func fail(_ error: KilnError) async throws {
        let body =
            switch begun ? form : .value {
            case .value: try WireJSON.encode(error)
            case .lines: try WireJSON.encodeLine(WireLine<Nothing>.failure(error))
            case .frames: ByteBuffer(bytes: SessionFrame.failure(Array(try WireJSON.encode(error).readableBytesView)).encoded)
            }
        try await enqueue(status: "500", body, end: true)
    }

    private func enqueue(status: String, _ buffer: ByteBuffer?, end: Bool = false) async throws {
        let head: HPACKHeaders? = begun ? nil : [":status": status]
        begun = true
        // In line before the first suspension: an engine may call from several tasks at once.
        let sent = stream.enqueue(head: head, buffer, end: end)
        try await stream.handed(sent)
    }
}
