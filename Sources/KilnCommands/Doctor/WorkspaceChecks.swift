internal import KilnAPI
internal import KilnModel

/// What can be looked at from inside a workspace only: names and connections as its programs see them.
enum WorkspaceChecks {
    static func run(in context: Context) async throws -> [Check] {
        let report = try await context.withClient { try await $0.report(on: .itself) }
        var checks = [
            await Check.run("agent") {
                try await context.withClient { try await $0.ready() }
                return "connected"
            },
            await Check.run("names") {
                let milliseconds = try await ResolverProbe(server: AddressPlan.resolver).ask(for: report.workspace.metadata.name)
                return "the resolver \(AddressPlan.resolver) answers in \(milliseconds) ms"
            },
        ]
        guard let environment = report.environment else {
            return checks + [Check(name: "connection", ok: true, detail: "none; connect with kl env connect NAME")]
        }
        checks.append(
            await Check.run("connection") {
                let name = environment.metadata.name
                guard report.workspace.status.connection?.phase == .connected else {
                    let reason = report.workspace.status.connection?.reason
                    let hint = reason?.hint ?? "kl env connect \(name)"
                    throw KilnError(.probeFailed, reason?.message ?? "\(name) is wanted and not connected yet.", hint: hint)
                }
                let target = environment.status.services.lazy.filter(\.isWell).compactMap { service in
                    service.ports.first { $0.transport == .tcp }.map { (service.name, $0.number) }
                }.first
                guard let (service, port) = target else { return "\(name); no service with a TCP port runs" }
                let address = try await ConnectionProbe.open(service: service, port: port)
                return "\(name); \(service) is \(address), port \(port) answers"
            }
        )
        return checks
    }
}
