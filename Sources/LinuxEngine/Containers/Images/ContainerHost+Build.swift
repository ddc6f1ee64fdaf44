import FileWork
import FoundationEssentials
import Glibc
import KilnModel
public import WorkspaceEngine

extension ContainerHost {
    /// Builds an image. Its steps run in a user namespace, and the whole build, what it fetches included, in the network namespace asked for.
    /// Layers are kept and used again.
    ///
    /// The engine's own program does it: the REST path of Podman 4.3 ignores id mappings, and would fetch from the host's network.
    /// - Parameter progress: gets every line the build prints.
    /// - Throws: `KilnError`: `build-failed` with the last lines, `invalid-build-context`, `disk-full`.
    public func build(_ request: BuildRequest, context: ByteStream, progress: @escaping @Sendable (String) async -> Void) async throws {
        var scan = try ContextScan(containerfile: request.containerfile)
        let hooks = try writeHook(for: request.userRange)
        let input = try Descriptor.pipe(forReading: false)
        let output = try Descriptor.pipe(forReading: true)
        let places = ChildProcess.Surroundings(network: request.networkNamespace, resolver: request.resolver, directory: configuration.empty)
        let program = try ChildProcess.spawn(
            programs.podman, request.commandLine(cgroupParent: cgroups.ofBuild(request.name), hooks: hooks), environment: buildEnvironment,
            input: input.read, output: output.write, errorOutput: output.write, surroundings: places)
        defer { program.close() }
        input.read.close()
        output.write.close()
        do {
            async let printed = BuildOutput.copy(output.read, progress: progress)
            var reads = true
            for try await bytes in context {
                try scan.append(bytes)
                if reads { reads = try await input.write.write(bytes) }
            }
            try Task.checkCancellation()
            guard scan.hasContainerfile else {
                throw KilnError(.invalidBuildContext, "There is no file \(request.containerfile) in the build context.")
            }
            // Only now does the build begin to read what came.
            input.write.close()
            let last = try await printed
            let status = try await program.ended()
            guard status == 0 else { throw BuildOutput.failure(last, status: status) }
        } catch {
            await Task { await program.end(grace: .seconds(2)) }.value
            throw error
        }
    }

    /// The folder of the hook for builds in `range`.
    private func writeHook(for range: ContainerSpec.UserRange) throws -> String {
        let folder = "\(configuration.hooks)/\(range.firstID)"
        try TrustedFiles.makeDirectories(folder, mode: 0o700)
        try TrustedFiles.replace("\(folder)/root.json", with: HostFiles.buildHook(firstID: range.firstID, program: programs.chown))
        return folder
    }
}

/// What a build prints.
private enum BuildOutput {
    /// Hands on the lines until the end of the stream and returns the last ones.
    static func copy(_ descriptor: Descriptor, progress: @Sendable (String) async -> Void) async throws -> [String] {
        var last: [String] = []
        var partial: [UInt8] = []
        func take(_ line: some Sequence<UInt8>) async {
            // Package managers end lines for a terminal.
            let text =
                String(decoding: Array(line), as: UTF8.self).split(whereSeparator: { $0 == "\r" || $0 == "\r\n" }).last?.description
                .printable(limit: 2000) ?? ""
            guard !text.isEmpty else { return }
            last = last.suffix(19) + [text]
            await progress(text)
        }
        reading: while true {
            switch try descriptor.read() {
            case .bytes(let bytes):
                partial += bytes
                while let end = partial.firstIndex(of: UInt8(ascii: "\n")) {
                    await take(partial[..<end])
                    partial.removeSubrange(...end)
                }
                // A line without an end must not grow without one.
                if partial.count > 1 << 16 {
                    await take(partial)
                    partial = []
                }
            case .nothingYet: try await Readiness.readable(descriptor.number)
            case .end: break reading
            }
        }
        await take(partial)
        return last
    }

    static func failure(_ lines: [String], status: Int) -> KilnError {
        let text = lines.suffix(8).joined(separator: "\n")
        if text.contains("no space left on device") {
            return KilnError(.diskFull, "The disk filled up during the build.", hint: "Free some room, then try again.")
        }
        return KilnError(.buildFailed, text.isEmpty ? "The build ended with status \(status) and said nothing." : "The build failed:\n\(text)")
    }
}
