import CTerminal
import FileWork
import FoundationEssentials
import Glibc
import KilnModel
import Logging
import PodmanClient

/// Supervises `podman system service`.
///
/// The service runs in a session of its own, so that it and the containers outlive the agent's end; an agent that starts again adopts the one
/// that answers. Its end is learnt from a pidfd.
struct ContainerService {
    var host: ContainerHost

    private var configuration: ContainerHost.Configuration { host.configuration }

    func run() async throws {
        var pause = Duration.milliseconds(100)
        while true {
            let began = ContinuousClock.now
            do {
                let service: ChildProcess
                if let running = try await adopt() { service = running } else { service = try await start() }
                defer { service.close() }
                try await attend(service)
                host.logger.warning("Podman's service ended; it is started again.")
            } catch let error as CancellationError {
                throw error
            } catch {
                host.logger.error("Podman's service could not be started: \(error)")
            }
            try Task.checkCancellation()
            if ContinuousClock.now - began > .seconds(60) { pause = .milliseconds(100) }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    /// Waits for the end of `service`; ends it when cancelled.
    private func attend(_ service: ChildProcess) async throws {
        do {
            _ = try await service.ended()
        } catch {
            // The task is cancelled, so the end has to be awaited outside it.
            await Task { await service.end(grace: .seconds(5)) }.value
            throw error
        }
    }

    /// The service that answers the socket already, if one does.
    private func adopt() async throws -> ChildProcess? {
        guard let pid = UnixSocket.listener(at: configuration.socket), let process = ChildProcess.attach(to: pid) else { return nil }
        do {
            try await host.client.ping()
            host.logger.info("Podman's service (process \(pid)) runs already.")
            return process
        } catch {
            host.logger.warning("Podman's service (process \(pid)) does not answer and is ended: \(error)")
            await process.end(grace: .seconds(1))
            process.close()
            return nil
        }
    }

    private func start() async throws -> ChildProcess {
        try TrustedFiles.remove(configuration.socket)
        let log = open(configuration.serviceLog, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard log >= 0 else { throw TrustedFiles.failure("open \(configuration.serviceLog)") }
        let nothing = Descriptor(owning: open("/dev/null", O_RDONLY | O_CLOEXEC))
        let output = Descriptor(owning: log)
        let service = try ChildProcess.spawn(
            host.programs.podman, ["system", "service", "--time=0", "unix://\(configuration.socket)"], environment: host.environment,
            input: nothing, output: output, errorOutput: output)
        do {
            try await firstAnswer(of: service)
        } catch {
            await Task { await service.end(grace: .seconds(1)) }.value
            service.close()
            throw error
        }
        host.logger.info("Podman's service runs as process \(service.pid).")
        return service
    }

    /// Waits for the service's first answer, which the client awaits by itself, or for its early end.
    private func firstAnswer(of service: ChildProcess) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                let deadline = ContinuousClock.now + .seconds(30)
                while true {
                    do {
                        // The client itself waits for the socket, with growing pauses.
                        try await host.client.ping()
                        return true
                    } catch let error as PodmanError where error.isUnreachable && ContinuousClock.now < deadline {
                        continue
                    }
                }
            }
            group.addTask {
                try await service.untilEnded()
                return false
            }
            defer { group.cancelAll() }
            guard try await group.next() == true else {
                let said = try TrustedFiles.text(of: configuration.serviceLog).split(separator: "\n").suffix(3).joined(separator: " ")
                throw KilnError(.engineUnavailable, "Podman's service ended at once. \(said)")
            }
        }
    }
}
