import KilnModel

extension ContainerHost {
    /// How often Podman started a container again by itself.
    func restarts(of container: String) async throws -> Int {
        try await asKilnError("look at the container \(container)") { try await client.inspectContainer(container).restartCount }
    }

    /// Runs a service's check once. What goes wrong on the way is a failed check, too.
    func healthCheck(_ container: String, _ check: Service.Healthcheck) async -> (passed: Bool, output: String) {
        do {
            let result = try await run(check.command, in: container, timeout: .seconds(check.timeout), outputLimit: 4096)
            let output = (result.outputText + result.errorText).printable(limit: 300)
            return (result.status == 0, output.isEmpty ? "Its check ended with status \(result.status)." : output)
        } catch let error as KilnError {
            return (false, error.message)
        } catch {
            return (false, "Its check was interrupted.")
        }
    }
}
