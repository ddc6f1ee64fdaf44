import Glibc
import KilnModel
import Synchronization

@testable import LinuxNetwork

/// A program of its own in a namespace, to be killed.
final class TestProgram: Sendable {
    /// nil once killed: its number may be another's then.
    private let process: Mutex<pid_t?>

    /// The other end of its standard output.
    private let output: Descriptor

    private init(_ process: pid_t, output: Descriptor) {
        self.process = Mutex(process)
        self.output = output
    }

    deinit { kill() }

    /// `kill -9`, and waits until it is gone.
    func kill() {
        process.withLock { process in
            guard let number = process else { return }
            process = nil
            Glibc.kill(number, SIGKILL)
            var status: CInt = 0
            waitpid(number, &status, 0)
        }
    }

    /// A TCP server that answers everything with `WORD from PEER`; returns once it listens.
    static func listener(_ word: String, in namespace: NetworkNamespace, at address: String, port: UInt16) async throws -> TestProgram {
        let script = """
            import socket, sys, threading
            s = socket.create_server(("\(address)", \(port)), backlog=256)
            print("ready", flush=True)
            def serve(c, peer):
                with c:
                    while c.recv(4096): c.sendall(("\(word) from " + peer).encode())
            while True:
                c, peer = s.accept()
                threading.Thread(target=serve, args=(c, peer[0]), daemon=True).start()
            """
        return try await namespace.perform {
            var ends: [CInt] = [-1, -1]
            guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
                throw SystemCallError.last("open a pair of sockets")
            }
            let (reading, writing) = (Descriptor(ends[0]), Descriptor(ends[1]))
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_adddup2(&actions, writing.number, 1)
            let arguments: [UnsafeMutablePointer<CChar>?] = ["python3", "-c", script].map { (text: String) in strdup(text) }
            defer { for argument in arguments { free(argument) } }
            var process = pid_t()
            let code = posix_spawnp(&process, "python3", &actions, nil, arguments + [nil], environ)
            guard code == 0 else { throw SystemCallError(number: code, action: "start python3") }
            let program = TestProgram(process, output: reading)
            var limit = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(reading.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var byte: UInt8 = 0
            guard recv(reading.number, &byte, 1, 0) == 1 else { throw SystemCallError.last("see python3 listen") }
            return program
        }
    }
}
