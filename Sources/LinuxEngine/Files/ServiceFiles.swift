import FileWork
import Glibc
import KilnModel
import WorkspaceEngine

/// The files that services see: copies on disk, texts in the runtime directory, the values of secrets in memory.
struct ServiceFiles {
    let folders: FolderStore
    let runtimeDirectory: String

    /// The files that a service sees, as mounts; what is only a text is written first. A reboot takes those, so this runs before every start.
    func mounts(for service: Service, in target: EnvironmentTarget, container: String, firstID: Int) throws -> [ContainerSpec.Mount] {
        guard !service.files.isEmpty else { return [] }
        let values = Dictionary(target.secrets.map { ($0.name, $0) }) { first, _ in first }
        return try service.files.enumerated().map { index, file in
            let source: String
            switch file.source {
            case .copy(let copy) where copy.kind == .folder || (file.mode == nil && file.user == nil && file.group == nil):
                guard folders.hasCopy(copy, of: target.id) else { throw Self.notHere(copy) }
                source = folders.path(of: copy, in: target.id)
            case .copy(let copy):
                guard let bytes = try read(copy, of: target.id) else { throw Self.notHere(copy) }
                source = try write(bytes, of: file, number: index, to: plainFiles(of: container), firstID: firstID)
            case .text(let text):
                source = try write(Array(text.utf8), of: file, number: index, to: plainFiles(of: container), firstID: firstID)
            case .secret(let name):
                guard let secret = values[name] else { throw KilnError.noSecret(name, environment: target.name) }
                try secretsMount.ensure()
                source = try write(secret.value.bytes, of: file, number: index, to: secretFiles(of: container), firstID: firstID)
            }
            return ContainerSpec.Mount(source: source, destination: file.path.value, readOnly: file.readOnly)
        }
    }

    /// Removes what was written for a container.
    func remove(of container: String) throws {
        try TrustedFiles.removeDirectory(plainFiles(of: container))
        try TrustedFiles.removeDirectory(secretFiles(of: container))
    }

    var secretsMount: MemoryMount { MemoryMount(path: "\(runtimeDirectory)/secrets") }
    private func plainFiles(of container: String) -> String { "\(runtimeDirectory)/files/\(container)" }
    private func secretFiles(of container: String) -> String { "\(secretsMount.path)/\(container)" }

    /// A service may have written to its own copy, so there is a limit.
    private func read(_ copy: FileCopy, of environment: ResourceID) throws -> [UInt8]? {
        let path = folders.path(of: copy, in: environment)
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= 16 << 20 else {
            throw KilnError(
                .serviceFailed,
                "“\(copy.origin.printable(limit: 80))” is longer than 16 MiB, too long for a file with a mode or an owner of its own.",
                hint: "Remove “mode”, “uid” and “gid”, or mount it under “volumes”.")
        }
        return try TrustedFiles.read(path)
    }

    private func write(_ bytes: [UInt8], of file: FileMount, number: Int, to folder: String, firstID: Int) throws -> String {
        try TrustedFiles.makeDirectory(folder.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }, mode: 0o700)
        try TrustedFiles.makeDirectory(folder, mode: 0o700)
        let path = "\(folder)/\(number)"
        let ids = 0..<Instance.rangeSize
        guard ids.contains(file.user ?? 0), ids.contains(file.group ?? 0) else {
            throw KilnError(.serviceFailed, "The owner of \(file.path) does not exist in a service.", hint: "Use ids below \(Instance.rangeSize).")
        }
        try TrustedFiles.update(
            path, with: bytes, mode: mode_t((file.mode ?? 0o444) & 0o777), user: firstID + (file.user ?? 0), group: firstID + (file.group ?? 0))
        return path
    }

    private static func notHere(_ copy: FileCopy) -> KilnError {
        KilnError(
            .engineFailed, "“\(copy.origin.printable(limit: 80))”, which a service sees, is not on this machine.", hint: "It is sent again by itself."
        )
    }
}
