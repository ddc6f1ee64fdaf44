public import CommandRunner
import KilnModel

extension ContainerHost {
    /// Runs a program in a running container to its end, for probes and health checks: some milliseconds beside the program's own time.
    ///
    /// A command that is not there ends with status 127 and one that cannot be run with 126, as in a shell.
    /// - Parameters:
    ///   - container: its id, 64 hex digits.
    ///   - user, workingDirectory, environment: nil takes those of the container's own program. `environment` is `KEY=VALUE` each.
    ///   - timeout: after which the program is killed.
    ///   - outputLimit: bytes kept of standard output, and of standard error; more is dropped.
    /// - Throws: `KilnError`: `timed-out`, `wrong-phase` when the container does not run, `engine-failed`.
    public func run(
        _ arguments: [String], in container: String, user: ContainerUser? = nil, workingDirectory: String? = nil, environment: [String]? = nil,
        input: [UInt8] = [], timeout: Duration = .seconds(30), outputLimit: Int = 1 << 20
    ) async throws -> CommandResult {
        let request = ExecRequest(
            container: container, arguments: arguments, user: user, workingDirectory: workingDirectory, environment: environment)
        let process = try await ContainerProcess.start(request, on: self)
        defer { process.discard() }
        do {
            return try await finish(process, input: input, timeout: timeout, outputLimit: outputLimit)
        } catch let error as KilnError where error.code == .commandNotFound {
            return CommandResult(status: 127, errorOutput: Array(error.message.utf8))
        } catch let error as KilnError where error.code == .commandNotExecutable {
            return CommandResult(status: 126, errorOutput: Array(error.message.utf8))
        } catch {
            await Task { await process.kill() }.value
            throw error
        }
    }

    private func finish(_ process: ContainerProcess, input: [UInt8], timeout: Duration, outputLimit: Int) async throws -> CommandResult {
        try await withThrowingTaskGroup(of: CommandResult?.self) { group in
            group.addTask {
                var result = CommandResult(status: 0)
                result.status = try await process.copyOutput { channel, bytes in
                    switch channel {
                    case .output: result.output.append(contentsOf: bytes.prefix(outputLimit - result.output.count))
                    case .error: result.errorOutput.append(contentsOf: bytes.prefix(outputLimit - result.errorOutput.count))
                    }
                }
                return result
            }
            group.addTask {
                _ = try await process.input.write(input)
                process.input.close()
                return nil
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw KilnError(.timedOut, "The program did not end within \(timeout).")
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
