import KilnModel

extension ContainerHost {
    /// The run that goes on, or the last one; nil when it never ran.
    func lastRun(of container: String) async throws -> RestartRecord.Run? {
        try await asKilnError("look at the container \(container)") {
            let state = try await client.inspectContainer(container).state
            guard let started = Timestamp(utf8: state.startedAt.utf8)?.seconds, let finished = Timestamp(utf8: state.finishedAt.utf8)?.seconds,
                started > 0
            else {
                return nil
            }
            return RestartRecord.Run(startedAt: started, finishedAt: finished, exitStatus: state.exitCode)
        }
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
