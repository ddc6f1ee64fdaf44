public import KilnModel
public import WorkspaceEngine

extension LinuxEngine {
    public func session(_ request: SessionRequest, in service: ServiceReference, input: SessionInput, output: @escaping SessionOutput) async throws {
        guard let container = try await containers.inspect(containerName(of: service.name, in: service.environment)), container.isRunning else {
            throw KilnError(.wrongPhase, "The service \(service.name) does not run.", hint: "See why: kl env show")
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
