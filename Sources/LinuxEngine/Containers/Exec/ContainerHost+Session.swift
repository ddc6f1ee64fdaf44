import Glibc
public import KilnModel
public import WorkspaceEngine

extension ContainerHost {
    /// Runs a program in a running container for a client: frames in, frames out, each awaited before the next is read, so that a slow side
    /// slows the other and nothing piles up. Returns after the `exit` frame.
    ///
    /// When `input` ends before the program does, or `output` throws, the program is hung up. A process left in the background does not keep
    /// the session open.
    /// - Parameters:
    ///   - request: an empty command is a login shell by `/bin/sh`.
    ///   - container: its id, 64 hex digits.
    ///   - environment: the login environment; `request.variables` come on top.
    ///
    /// A command that is not there ends with status 127 and one that cannot be run with 126, as in a shell.
    /// - Throws: `KilnError`: `command-not-found` when there is not even a shell, `wrong-phase` when the container does not run,
    ///   `engine-failed`; `CancellationError` when the client went away.
    public func session(
        _ request: SessionRequest, container: String, user: ContainerUser, workingDirectory: String, environment: [EnvironmentVariable],
        input: SessionInput, output: @escaping SessionOutput
    ) async throws {
        var variables: [String: String] = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        for variable in environment + request.variables { variables[variable.key] = variable.value }
        let exec = ExecRequest(
            container: container, arguments: request.command.isEmpty ? ["/bin/sh", "-l"] : request.command, user: user,
            workingDirectory: workingDirectory, environment: variables.map { "\($0.key)=\($0.value)" }, terminal: request.terminal)
        try await session(exec, isShell: request.command.isEmpty, input: input, output: output)
    }

    /// As above, as the user, in the folder and with the environment of the container's own program; an empty command is a shell.
    public func session(_ request: SessionRequest, container: String, input: SessionInput, output: @escaping SessionOutput) async throws {
        let own = try ProcessDocument.ofContainer(container, storageRoot: configuration.storageRoot)
        let shell = ["/bin/sh", "-c", "if [ -x /bin/bash ]; then exec /bin/bash; else exec /bin/sh; fi"]
        let added = Set(request.variables.map { "\($0.key)=" })
        let kept = (own.env ?? []).filter { variable in !added.contains { variable.hasPrefix($0) } }
        let exec = ExecRequest(
            container: container, arguments: request.command.isEmpty ? shell : request.command,
            environment: kept + request.variables.map(\.description), terminal: request.terminal)
        try await session(exec, isShell: request.command.isEmpty, input: input, output: output)
    }

    private func session(_ exec: ExecRequest, isShell: Bool, input: SessionInput, output: @escaping SessionOutput) async throws {
        do {
            try await session(exec, input: input, output: output)
        } catch let error as KilnError where !isShell && [.commandNotFound, .commandNotExecutable].contains(error.code) {
            let (isMissing, program) = (error.code == .commandNotFound, exec.arguments.first ?? "")
            // A message of the runtime's says why a program cannot be run, not which.
            try await output(.errorOutput(Array((isMissing ? error.message : "\(program.printable(limit: 200)): \(error.message)").utf8 + [10])))
            try await output(.exit(isMissing ? 127 : 126))
        }
    }

    private func session(_ exec: ExecRequest, input: SessionInput, output: @escaping SessionOutput) async throws {
        let process = try await ContainerProcess.start(exec, on: self)
        defer { process.discard() }
        let status: Int
        do {
            status = try await attend(process, input: input, output: output)
        } catch {
            // This task may be cancelled, so the end has to be awaited outside it.
            await Task { await process.hangUp() }.value
            throw error
        }
        try await output(.exit(UInt8(clamping: status)))
    }

    private func attend(_ process: ContainerProcess, input: SessionInput, output: @escaping SessionOutput) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                try await process.copyOutput { channel, bytes in try await output(channel == .error ? .errorOutput(bytes) : .output(bytes)) }
            }
            group.addTask {
                try await process.take(input)
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let status = try await group.next() else { throw CancellationError() }
            return status
        }
    }
}

extension ContainerProcess {
    /// Does what the client's frames say; returns when there are no more.
    fileprivate func take(_ frames: SessionInput) async throws {
        var accepts = true
        for try await frame in frames {
            switch frame {
            case .input(let bytes):
                if accepts { accepts = try await input.write(bytes) }
            case .inputEnd:
                guard accepts else { continue }
                accepts = isTerminal
                // A terminal's end of input is a key, Control-D.
                if isTerminal { _ = try await input.write([4]) } else { input.close() }
            case .resize(let size): resize(size)
            case .signal(let number):
                guard (1..<65).contains(number) else { throw KilnError(.invalidValue, "\(number) is not a signal.") }
                send(Int32(number))
            default: throw KilnError(.invalidValue, "A client cannot send this session frame.")
            }
        }
    }
}
