import Glibc
import KilnModel

/// A user namespace of a range's ids, of which no container is needed: what runs in it may do to the range's files what root inside could, and
/// nothing to anybody else's.
struct UserNamespace {
    /// Waits in it, for as long as it is needed.
    private let holder: ChildProcess

    static func with<Result>(_ range: ContainerSpec.UserRange, _ body: (UserNamespace) async throws -> Result) async throws -> Result {
        let input = try Descriptor.pipe(forReading: false)
        let output = try Descriptor.pipe(forReading: true)
        let nothing = Descriptor(owning: open("/dev/null", O_RDWR | O_CLOEXEC))
        let holder = try ChildProcess.spawn(
            "/usr/bin/unshare", ["--user", "/bin/sh", "-c", "echo; read -r _"], environment: [:], input: input.read, output: output.write,
            errorOutput: nothing)
        defer { holder.close() }
        input.read.close()
        output.write.close()
        let outcome: Swift.Result<Result, any Error>
        do {
            // It says a word once it is in its own.
            try await Readiness.readable(output.read.number, timeout: .seconds(5))
            for file in ["uid_map", "gid_map"] {
                try KernelFile.set("/proc/\(holder.pid)/\(file)", to: "0 \(range.firstID) \(Instance.rangeSize)\n")
            }
            outcome = .success(try await body(UserNamespace(holder: holder)))
        } catch {
            outcome = .failure(error)
        }
        await holder.end(grace: .zero, with: SIGKILL)
        return try outcome.get()
    }

    /// The program and its arguments that run a command as root of the namespace.
    func command(_ words: [String]) -> [String] {
        ["/usr/bin/nsenter", "--user", "--target", "\(holder.pid)", "--setuid", "0", "--setgid", "0", "--"] + words
    }
}
