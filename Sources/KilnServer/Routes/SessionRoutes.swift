internal import FoundationEssentials
internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import KilnStore
internal import NIOCore
internal import WorkspaceEngine

extension Backend {
    /// `POST …/sessions` of a workspace, or with `?service=NAME`, `&replica=N` of an environment: `SessionFrame`s in the bodies of request and answer, both
    /// open at once.
    func addSessions(to table: inout RouteTable) {
        table.add(
            .post, Routes.action(.workspace, "{ref}", .sessions),
            .init(
                "openWorkspaceSession", "Run a program in a workspace.",
                body: .bytes("application/octet-stream", "Session frames, beginning with a request; both bodies are open at once."),
                answers: .ok(.bytes("application/octet-stream", "Session frames, ending with an exit status or a failure.")))
        ) { call in
            let document = try await resolve(.workspace, call, .session)
            let name = document.name
            guard let workspace = try await store.resource(Workspace.self, document.id) else { throw KilnError.noSuch(.workspace, name.value) }
            guard workspace.status.phase == .running, workspace.spec.desiredState == .running else {
                throw KilnError(
                    .wrongPhase, "The workspace \(name) is not running; it is \(workspace.status.phase.rawValue).",
                    hint: "Resume it: kl ws resume \(name)"
                )
            }
            let engine = try controller.link.required()
            let target = try await controller.target(of: workspace)
            return session(call) { try await engine.session($0, in: target, input: $1, output: $2) }
        }
        table.add(
            .post, Routes.action(.environment, "{ref}", .sessions),
            .init(
                "openServiceSession", "Run a program in a service's container.", .init("service", "Which service.", Name.self, isRequired: true),
                .init("replica", "Which of its containers, from 1; else the first that runs.", Int.self),
                body: .bytes("application/octet-stream", "Session frames, beginning with a request; both bodies are open at once."),
                answers: .ok(.bytes("application/octet-stream", "Session frames, ending with an exit status or a failure.")))
        ) { call in
            let environment = try await environment(call, .session)
            let name = environment.metadata.name
            guard let text = call.query("service") else {
                throw KilnError(.invalidValue, "A session needs a service.", hint: "Add ?service=NAME.")
            }
            let service = try environment.requireService(try Name(text))
            guard environment.spec.desiredState == .running else {
                throw KilnError(.wrongPhase, "The environment \(name) is stopped.", hint: "Start it: kl env start \(name)")
            }
            let engine = try controller.link.required()
            let replica = try call.number("replica", in: 1...max(1, service.replicas))
            let place = ServiceReference(environment: environment.metadata.id, name: service.name, replica: replica)
            return session(call) { try await engine.session($0, in: place, input: $1, output: $2) }
        }
    }

    private func session(
        _ call: Call, _ run: @escaping @Sendable (SessionRequest, SessionInput, @escaping SessionOutput) async throws -> Void
    ) -> Response {
        .streaming(call, "application/octet-stream") { pipe, body in
            let frames = SessionFrames(body)
            do {
                let request = try await frames.request()
                let input = SessionInput { try await frames.next() }
                try await run(request, input) { try await pipe.write($0.encoded) }
            } catch let error as KilnError {
                try await pipe.write(SessionFrame.failure(Array(try JSONEncoder().encode(error))).encoded)
            }
        }
    }
}

/// The frames of a request's body, decoded as they are asked for, so that a program that does not read its input stops its sender.
actor SessionFrames {
    private var iterator: RequestBody.AsyncIterator
    private var decoder = SessionFrameDecoder()

    init(_ body: RequestBody) { iterator = body.makeAsyncIterator() }

    /// The first frame.
    /// - Throws: `invalid-value` when it is no request.
    func request() async throws -> SessionRequest {
        guard case .request(let json)? = try await decoded() else {
            throw KilnError(.invalidValue, "A session begins with a request frame.")
        }
        return try RequestJSON.decode(SessionRequest.self, from: Data(json))
    }

    /// The next frame that a program may get; nil at the end of the body.
    func next() async throws -> SessionFrame? {
        guard let frame = try await decoded() else { return nil }
        switch frame {
        case .input, .inputEnd, .resize, .signal: return frame
        case .request, .output, .errorOutput, .exit, .failure:
            throw KilnError(.invalidValue, "A client may send input, its end, sizes and signals only.")
        }
    }

    private func decoded() async throws -> SessionFrame? {
        while true {
            if let frame = try decoder.next() { return frame }
            var iterator = iterator
            guard let bytes = try await iterator.next(isolation: self) else { return nil }
            self.iterator = iterator
            decoder.append(bytes.readableBytesView)
        }
    }
}
