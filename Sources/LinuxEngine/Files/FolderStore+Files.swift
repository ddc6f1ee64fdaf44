import CLinux
import Crypto
import FileWork
import Glibc
import KilnModel
import WorkspaceEngine

/// Files and folders that came with Compose files: `environments/ID/files/KEY/item`, unpacked once. What services write there stays until
/// another content comes. `KEY` is root's alone, so that only `item` itself, never a path in it, is walked by root.
extension FolderStore {
    private func filesFolder(of environment: ResourceID) -> String { "\(stateDirectory)/environments/\(environment)/files" }

    /// Where a copy lies.
    func path(of copy: FileCopy, in environment: ResourceID) -> String { "\(filesFolder(of: environment))/\(copy.key)/\(TreeWriter.item)" }

    func hasCopy(_ copy: FileCopy, of environment: ResourceID) -> Bool { TrustedFiles.exists(path(of: copy, in: environment)) }

    /// Unpacks a copy; done when it is there already.
    /// - Throws: `invalid-build-context` for a tar that is none, that is not what its digest says or that holds what cannot be kept; `disk-full`.
    func store(_ copy: FileCopy, of environment: ResourceID, firstID: Int, tar: ByteStream) async throws {
        guard !hasCopy(copy, of: environment) else { return }
        for folder in ["environments", "environments/\(environment)", "environments/\(environment)/files"] {
            try TrustedFiles.makeDirectory("\(stateDirectory)/\(folder)", mode: 0o700)
        }
        let files = filesFolder(of: environment)
        let (key, fresh) = (copy.key, ".\(copy.key).new")
        try await remove(fresh, below: files)
        try TrustedFiles.makeDirectory("\(files)/\(fresh)", mode: 0o700)
        do {
            try await unpack(tar, as: copy, into: "\(files)/\(fresh)", firstID: firstID)
            guard rename("\(files)/\(fresh)", "\(files)/\(key)") == 0 else { throw TrustedFiles.failure("keep \(copy.origin.printable(limit: 80))") }
        } catch {
            try await remove(fresh, below: files)
            throw error
        }
    }

    private func unpack(_ tar: ByteStream, as copy: FileCopy, into folder: String, firstID: Int) async throws {
        let writer = try TreeWriter(folder: folder, kind: copy.kind, firstID: firstID, access: copy.access)
        var reader = TarReader()
        var hash = SHA256()
        for try await bytes in tar {
            hash.update(data: bytes)
            try reader.append(bytes) { event throws(KilnError) in try writer.take(event) }
        }
        try Task.checkCancellation()
        guard reader.isComplete, reader.isEnded else { throw TarReader.notTar }
        try writer.finish()
        let digest = hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        guard digest == copy.digest.value else {
            throw KilnError(.invalidBuildContext, "What was sent as \(copy.origin.printable(limit: 80)) is not what its SHA-256 says.")
        }
        // On disk before it has its name, or a power cut could leave a name without content.
        let descriptor = Descriptor(owning: open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        guard descriptor.number >= 0, linux_syncfs(descriptor.number) == 0 else {
            throw TrustedFiles.failure("keep \(copy.origin.printable(limit: 80))")
        }
    }

    /// Removes the copies that no service sees any more.
    func pruneFiles(of environment: ResourceID, keeping copies: [FileCopy]) async throws {
        let (files, kept) = (filesFolder(of: environment), Set(copies.map(\.key)))
        for entry in try TrustedFiles.list(files) where !kept.contains(entry) { try await remove(entry, below: files) }
    }

    /// Removes all copies of an environment; its volumes stay.
    func removeFiles(of environment: ResourceID) async throws {
        let folder = "\(stateDirectory)/environments/\(environment)"
        try await remove("files", below: folder)
        // Only when no volumes are left in it.
        guard rmdir(folder) == 0 || errno == ENOENT || errno == ENOTEMPTY else { throw TrustedFiles.failure("remove \(folder)") }
    }

    /// Environments that have copies.
    func environmentsWithFiles() throws -> [ResourceID] {
        try TrustedFiles.list("\(stateDirectory)/environments").compactMap { try? ResourceID($0) }.filter { TrustedFiles.exists(filesFolder(of: $0)) }
    }
}

extension FileCopy {
    /// The name of its folder: another place in the project, or another owner, is another copy, though the content be the same.
    var key: String {
        let parts = [kind.rawValue, origin, digest.value] + (access.map { [$0.mode, $0.user, $0.group].map { $0.map(String.init) ?? "" } } ?? [])
        let hash = SHA256.hash(data: Array(parts.joined(separator: "\u{0}").utf8))
        return hash.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
