import CTerminal
import FileWork
import FoundationEssentials
import Glibc
import KilnModel

extension ContainerProcess {
    /// Starts a program. With a terminal, returns once that is there.
    /// - Throws: `KilnError` when that failed; without a terminal, `copyOutput` tells later.
    static func start(_ request: ExecRequest, on host: ContainerHost) async throws -> ContainerProcess {
        guard let size = request.terminal else { return try startWithPipes(request, on: host) }
        guard host.runtimeProgram.name == "crun" else { return try startRelayed(request, size: size, on: host) }
        do {
            return try await startWithTerminal(request, size: size, behindGate: true, on: host)
        } catch let error as KilnError where error.code == .commandNotFound {
            // No shell there to hold the program back.
            return try await startWithTerminal(request, size: size, behindGate: false, on: host)
        }
    }

    private static func startWithPipes(_ request: ExecRequest, on host: ContainerHost) throws -> ContainerProcess {
        let folder = try makeFolder(request, arguments: request.arguments, on: host)
        do {
            let input = try Descriptor.pipe(forReading: false)
            let output = try Descriptor.pipe(forReading: true)
            let errors = try Descriptor.pipe(forReading: true)
            let runtime = try spawn(
                request, folder: folder, options: [], input: input.read, output: output.write, errorOutput: errors.write, on: host)
            return ContainerProcess(runtime: runtime, folder: folder, input: input.write, output: output.read, errorOutput: errors.read)
        } catch {
            try? TrustedFiles.remove(folder)
            throw error
        }
    }

    /// crun makes the terminal inside and sends its other end over a socket: no relay stands between it and us.
    ///
    /// crun sets the size only after it let the program go, so the first thing a program asks may be answered 0 × 0. A shell therefore holds
    /// it back until a line arrives, which we send once the size is set, and whose echo we swallow.
    private static func startWithTerminal(
        _ request: ExecRequest, size: SessionRequest.TerminalSize, behindGate: Bool, on host: ContainerHost
    ) async throws -> ContainerProcess {
        let gate = behindGate ? ["/bin/sh", "-c", "read -r _; exec \"$@\"", "sh"] : []
        let folder = try makeFolder(request, arguments: gate + request.arguments, on: host)
        var process: ContainerProcess?
        do {
            let socket = try UnixSocket.listen(at: "\(folder)/tty")
            let nothing = Descriptor(owning: open("/dev/null", O_RDWR | O_CLOEXEC))
            let options = ["--console-socket", "\(folder)/tty"]
            let runtime = try spawn(request, folder: folder, options: options, input: nothing, output: nothing, errorOutput: nothing, on: host)
            let starting = ContainerProcess(runtime: runtime, folder: folder, input: nothing, output: nothing, errorOutput: nothing)
            process = starting
            let terminal = try await receiveTerminal(socket, from: starting)
            _ = kiln_set_nonblocking(terminal.number)
            _ = kiln_set_terminal_size(terminal.number, size.columns, size.rows)
            if behindGate { try await openGate(terminal) }
            return ContainerProcess(runtime: runtime, folder: folder, input: terminal, output: terminal, errorOutput: nil)
        } catch {
            if let process {
                await Task { await process.kill() }.value
                process.discard()
            } else {
                try? TrustedFiles.remove(folder)
            }
            throw error
        }
    }

    private static func receiveTerminal(_ socket: Descriptor, from process: ContainerProcess) async throws -> Descriptor {
        let watch = try Watch([socket.number, process.runtime.endDescriptor])
        guard try await watch.next().contains(socket.number) else {
            throw process.failure(status: try await process.runtime.ended())
        }
        let connection = try UnixSocket.accept(socket)
        try await Readiness.readable(connection.number)
        let number = kiln_receive_descriptor(connection.number)
        guard number >= 0 else { throw TrustedFiles.failure("receive a terminal", code: -number) }
        return Descriptor(owning: number)
    }

    private static func openGate(_ terminal: Descriptor) async throws {
        guard try await terminal.write([UInt8(ascii: "\n")]) else { return }
        var echo = 2
        while echo > 0 {
            switch try terminal.read(limit: echo) {
            case .bytes(let bytes): echo -= bytes.count
            case .nothingYet: try await Readiness.readable(terminal.number)
            case .end: return
            }
        }
    }

    /// runc hands a terminal over only when it leaves; so it gets one of ours and passes bytes between the two.
    private static func startRelayed(_ request: ExecRequest, size: SessionRequest.TerminalSize, on host: ContainerHost) throws -> ContainerProcess {
        let folder = try makeFolder(request, arguments: request.arguments, on: host)
        do {
            var ends: [Int32] = [-1, -1]
            let code = kiln_open_terminal(size.columns, size.rows, &ends)
            guard code == 0 else { throw TrustedFiles.failure("open a terminal", code: -code) }
            let ours = Descriptor(owning: ends[0])
            let theirs = Descriptor(owning: ends[1])
            _ = kiln_set_nonblocking(ours.number)
            let runtime = try spawn(request, folder: folder, options: [], input: theirs, output: theirs, errorOutput: theirs, on: host)
            return ContainerProcess(runtime: runtime, folder: folder, input: ours, output: ours, errorOutput: nil, isRelayed: true)
        } catch {
            try? TrustedFiles.remove(folder)
            throw error
        }
    }

    private static func makeFolder(_ request: ExecRequest, arguments: [String], on host: ContainerHost) throws -> String {
        let document = try ProcessDocument(request, arguments: arguments, limits: host.limits, storageRoot: host.configuration.storageRoot)
        let name = String(UInt64.random(in: 0 ... .max), radix: 36)
        let folder = "\(host.configuration.sessions)/\(name)"
        guard mkdir(folder, 0o700) == 0 else { throw TrustedFiles.failure("make \(folder)") }
        try JSONEncoder().encode(document).write(to: URL(filePath: "\(folder)/process.json"))
        return folder
    }

    private static func spawn(
        _ request: ExecRequest, folder: String, options: [String], input: Descriptor, output: Descriptor, errorOutput: Descriptor,
        on host: ContainerHost
    ) throws -> ChildProcess {
        let arguments =
            ["--log", "\(folder)/log", "--log-format", "json", "exec", "--process", "\(folder)/process.json", "--pid-file", "\(folder)/pid"]
            + options + [request.container]
        return try ChildProcess.spawn(
            host.runtimeProgram.path, arguments, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], input: input, output: output,
            errorOutput: errorOutput)
    }
}
