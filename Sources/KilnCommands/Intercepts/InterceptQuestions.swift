internal import KilnAPI
internal import KilnModel

/// Asks in a terminal what `kl intercept start` was not told.
struct InterceptQuestions {
    let client: APIClient
    let workspace: Reference
    let output: Output
    /// Of ports that do not say.
    let transport: TransportProtocol?
    let ask: @Sendable (String) -> String?

    /// Offers the services of the connected environment.
    func service() async throws -> Name {
        let environment = try await environment()
        let services = environment.spec.services
        guard !services.isEmpty else {
            throw KilnError(
                .notFound, "The environment \(environment.metadata.name) has no services.", hint: "kl env show \(environment.metadata.name)")
        }
        var table = Table(header: nil)
        table.rows = services.enumerated().map { number, service in
            [Table.Cell("  \(number + 1)", .faint), Table.Cell(service.name.value), Table.Cell(Show.ports(service.ports), .faint)]
        }
        output.error.write("Services of \(environment.metadata.name):\n\(table.rendered(colours: output.error.hasColours))")
        let answer = try answer(to: "Service, by number or name: ")
        // A service may be called 2.
        if let named = services.first(where: { $0.name.value == answer }) { return named.name }
        guard let number = Int(answer), services.indices.contains(number - 1) else {
            throw KilnError(
                .invalidValue, "“\(answer.printable(limit: 40))” is none of them.", hint: "kl env status shows the services."
            )
        }
        return services[number - 1].name
    }

    /// Offers the ports of a service.
    func ports(of name: Name) async throws -> [InterceptWish.PortWish] {
        let environment = try await environment()
        guard let service = environment.spec.services.first(where: { $0.name == name }) else { throw KilnError.noService(name, in: environment) }
        let declared = service.ports.filter { transport == nil || $0.transport == transport }.sorted()
        let only = declared.count == 1 ? declared.first : nil
        let list = declared.isEmpty ? "\(name) declares no port." : "Ports of \(name): \(declared.map(\.shortText).joined(separator: ", "))."
        output.note("\(list) Write PORT:WORKSPACE-PORT, several with spaces between.")
        let answer = try answer(to: only.map { "Ports [\($0.number):\($0.number)]: " } ?? "Ports: ", isOptional: only != nil)
        if answer.isEmpty, let only { return [.init(number: only.number, transport: only.transport, target: only.number)] }
        return try answer.split(whereSeparator: { $0 == " " || $0 == "," }).map { try .init(text: String($0), transport: transport) }
    }

    private func environment() async throws -> Environment {
        let report = try await client.report(on: workspace)
        guard let environment = report.environment else { throw KilnError.notConnected(report.workspace.metadata.name) }
        return environment
    }

    private func answer(to question: String, isOptional: Bool = false) throws(KilnError) -> String {
        let words = ask(question)?.split(whereSeparator: \.isWhitespace)
        guard let words, isOptional || !words.isEmpty else { throw KilnError(.declined, "Nothing was done.") }
        return words.joined(separator: " ")
    }
}
