internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct InterceptStart: Verb {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Send a service's traffic to a workspace.",
        discussion: """
            Returns when new connections reach the workspace, or wait there for a program that listens: until then the original answers. \
            Ports that are not named stay with it.

            --port 8080:3000 sends the service's port 8080 to port 3000 of the workspace. --port 3000 alone means the service's only port; \
            of several, the one of the same number. Without --port it is the service's only port, to the same number. The transport is the one \
            that the service declares for the port, TCP in doubt. In a terminal, what is left open is asked.

            Examples:
              kl intercept start api --port 8080:3000
              kl i start dns --port 53:5353 --protocol udp --workspace hello
              kl i start api --existing cut --no-fallback
            """
    )

    @Argument(help: "The service.", completion: .services, transform: { try Name($0) }) var service: Name?
    @Option(help: ArgumentHelp("[SERVICE-PORT:]PORT, with /udp or /tcp behind it; may be repeated.", valueName: "ports")) var port: [String] = []
    @Option(
        name: .customLong("protocol"), help: ArgumentHelp("tcp or udp, of the ports that do not say.", valueName: "name"),
        completion: .list(TransportProtocol.allCases.map(\.rawValue)), transform: Self.transport
    )
    var transport: TransportProtocol?
    @Option(
        help: ArgumentHelp("What becomes of open connections: drain lets them be finished, cut resets them.", valueName: "drain|cut"),
        completion: .list(Intercept.Existing.allCases.map(\.rawValue)), transform: Self.existing
    )
    var existing = Intercept.Existing.drain
    @Flag(name: .customLong("no-fallback"), help: "Refuse callers while nothing listens in the workspace.") var noFallback = false
    @Flag(name: .customLong("take-over"), help: "Take the ports from a workspace that intercepts them.") var takeOver = false
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        var ports = try port.map { text throws(KilnError) in try InterceptWish.PortWish(text: text, transport: transport) }
        // A question of which is not one of whether: --yes does not answer it.
        let ask = common.yes ? nil : context.input.ask
        guard service != nil || ask != nil else {
            throw KilnError(
                .needsAnswer, "Which service is meant is not said, and there is no terminal to ask at.",
                hint: "kl intercept start SERVICE --port 8080:3000; kl env status shows the services."
            )
        }
        try await context.withClient(wait) { client in
            let questions = ask.map {
                InterceptQuestions(client: client, workspace: reference, output: context.output, transport: transport, ask: $0)
            }
            let name: Name
            if let service {
                name = service
            } else if let questions {
                name = try await questions.service()
                if ports.isEmpty { ports = try await questions.ports(of: name) }
            } else {
                return
            }
            let asked: Workspace
            do {
                asked = try await client.intercept(reference, request(name, ports))
            } catch let error as KilnError where error.code == .portNeeded && ports.isEmpty {
                guard let questions else { throw error }
                ports = try await questions.ports(of: name)
                asked = try await client.intercept(reference, request(name, ports))
            }
            let meant = asked.spec.intercepts.filter { intercept in
                intercept.service == name && (ports.isEmpty || ports.contains { $0.matches(intercept) })
            }
            try await finish(asked, Set(meant.map(\.key)), name, client, context)
        }
    }

    private func request(_ service: Name, _ ports: [InterceptWish.PortWish]) -> StartIntercept {
        // A protocol alone says which of the service's ports are meant.
        let ports = ports.isEmpty && transport != nil ? [.init(transport: transport)] : ports
        return StartIntercept(InterceptWish(service: service, ports: ports, existing: existing, fallback: !noFallback), takeOver: takeOver)
    }

    private func finish(
        _ asked: Workspace, _ keys: Set<Intercept.Key>, _ service: Name, _ client: APIClient, _ context: Context
    ) async throws {
        guard !wait.noWait else { return try context.finish(asked, json: common.json, "The intercept of \(service) is being started.") }
        let judge: @Sendable (Workspace) -> Verdict = { .intercepting($0, keys, version: asked.metadata.version) }
        var done = asked
        do {
            if judge(asked) != .done { done = try await context.waiter(forInterceptOf: service, client, wait).until(asked, judge) }
        } catch let error as KilnError where noFallback && error.code != .timedOut {
            try await takeBack(keys, asked, service, client, context)
            throw KilnError(error.code, "\(error.message) It was taken out again: the original answers.", hint: error.hint)
        }
        let sentences = done.status.intercepts.filter { keys.contains($0.key) }.map { InterceptTable.sentence($0, of: done) }
        try context.finish(done, json: common.json, sentences.joined(separator: "\n"))
    }

    /// Ends what did not come about, and would keep callers from the original.
    private func takeBack(_ keys: Set<Intercept.Key>, _ asked: Workspace, _ service: Name, _ client: APIClient, _ context: Context) async throws {
        let released = try await client.release(
            .id(asked.metadata.id), StopIntercept(service: service, ports: keys.map(\.port).sorted()))
        let judge: @Sendable (Workspace) -> Verdict = { .released($0, version: released.metadata.version) }
        if judge(released) != .done { _ = try await context.waiter(forInterceptOf: service, client, wait).until(released, judge) }
    }

    private static func transport(_ text: String) throws(KilnError) -> TransportProtocol {
        guard let transport = TransportProtocol(rawValue: text) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is neither tcp nor udp.", hint: "--protocol udp")
        }
        return transport
    }

    private static func existing(_ text: String) throws(KilnError) -> Intercept.Existing {
        guard let existing = Intercept.Existing(rawValue: text) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is neither drain nor cut.", hint: "--existing cut")
        }
        return existing
    }
}

extension Context {
    func waiter(forInterceptOf service: Name?, _ client: APIClient, _ options: WaitOptions) -> Waiter {
        Waiter(
            client: client, output: output, limit: options.timeout, subject: service.map { "the intercept of \($0)" } ?? "the intercepts",
            look: "kl intercept status"
        )
    }
}
