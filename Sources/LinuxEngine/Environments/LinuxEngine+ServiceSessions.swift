public import KilnModel
public import WorkspaceEngine

extension LinuxEngine {
    public func session(_ request: SessionRequest, in service: ServiceReference, input: SessionInput, output: @escaping SessionOutput) async throws {
        let found = try await containers.list(label: "\(Label.id)=\(service.environment)")
            .filter { $0.isRunning && $0.labels[Label.service] == service.name.value }
            .map { (number: $0.labels[Label.replica].flatMap { Int($0) } ?? 1, container: $0) }
        guard let container = found.filter({ service.replica == nil || service.replica == $0.number }).min(by: { $0.number < $1.number })?.container
        else {
            let what = service.replica.map { "The container \(Replica(service.name, $0))" } ?? "The service \(service.name)"
            throw KilnError(.wrongPhase, "\(what) does not run.", hint: "See why: kl env show")
        }
        do {
            try await containers.session(request, container: container.id, input: input, output: output)
        } catch let error as KilnError where error.code == .commandNotFound && request.command.isEmpty {
            throw KilnError(
                .commandNotFound, "The image of \(service.name) has no shell.",
                hint: "Name a program of it: kl env exec NAME \(service.name) -- PROGRAM")
        }
    }
}
