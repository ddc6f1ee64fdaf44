import CommandRunner
import FileWork
import Glibc
import KilnModel
import Synchronization

/// Homes and volumes on disk: the one place that makes and deletes them, so that they can become snapshots later.
///
/// `machines/ID/home` and `environments/ID/volumes/NAME` are owned by the id range of who uses them. The directories above are root's, 0700.
/// What lies inside belongs to a workspace: nothing here follows a path into it.
struct FolderStore: Sendable {
    let stateDirectory: String
    let runner: any CommandRunner

    private var machinesDirectory: String { "\(stateDirectory)/machines" }
    private var environments: String { "\(stateDirectory)/environments" }

    /// User and group id of `dev` inside a workspace.
    static let developerID = 1000

    func home(of machine: ResourceID) -> String { "\(machinesDirectory)/\(machine)/home" }

    /// Makes a workmachine's home.
    func ensureHome(of machine: ResourceID, firstID: Int) throws {
        try TrustedFiles.makeDirectory(machinesDirectory, mode: 0o700)
        try TrustedFiles.makeDirectory("\(machinesDirectory)/\(machine)", mode: 0o700)
        let home = home(of: machine)
        if TrustedFiles.exists(home) { return }
        // Made under another name first: a home that exists is a home with its owner.
        let fresh = "\(machinesDirectory)/\(machine)/home.new"
        try TrustedFiles.makeDirectory(fresh, mode: 0o755)
        let owner = uid_t(firstID + Self.developerID)
        guard chown(fresh, owner, owner) == 0 else { throw TrustedFiles.failure("own \(fresh)") }
        guard rename(fresh, home) == 0 else { throw TrustedFiles.failure("make \(home)") }
    }

    func removeHome(of machine: ResourceID) async throws {
        try await remove("\(machine)", below: machinesDirectory)
    }

    /// Bytes that are left on the file system that holds a home, and its size.
    func space(of machine: ResourceID) throws -> (free: Int, size: Int) {
        var status = statvfs()
        guard statvfs(home(of: machine), &status) == 0 else { throw TrustedFiles.failure("measure the home of \(machine)") }
        let block = Int(status.f_frsize)
        return (Int(status.f_bavail) * block, Int(status.f_blocks) * block)
    }

    /// Whether `~/workspaces/NAME` is there.
    func hasWorkspaceFolder(_ name: Name, of machine: ResourceID) throws -> Bool {
        guard TrustedFiles.exists(home(of: machine)) else { return false }
        return try TrustedDirectory(home(of: machine)).directory("workspaces")?.contains(name.value) ?? false
    }

    /// Removes `~/workspaces/NAME`, whatever it holds. Done when it is gone already.
    func removeWorkspaceFolder(_ name: Name, of machine: ResourceID) async throws {
        guard TrustedFiles.exists(home(of: machine)) else { return }
        let home = try TrustedDirectory(home(of: machine))
        guard let workspaces = try home.directory("workspaces") else { return }
        for entry in [name.value, Self.cloneFolder(name)] { try await remove(entry, in: workspaces) }
    }

    /// Where a clone grows before it becomes `~/workspaces/NAME`; no workspace can have this name.
    static func cloneFolder(_ name: Name) -> String { ".\(name).cloning" }

    /// Services start together: of two that make the same volume at once, the second would put its own in place of the first one's, which a
    /// container may have by then.
    private static let volumeTurn = Mutex<Void>(())

    /// Makes a volume and returns its path.
    func ensureVolume(_ volume: VolumeName, of environment: ResourceID, firstID: Int) throws -> String {
        try Self.volumeTurn.withLock { _ in try makeVolume(volume, of: environment, firstID: firstID) }
    }

    private func makeVolume(_ volume: VolumeName, of environment: ResourceID, firstID: Int) throws -> String {
        try TrustedFiles.makeDirectory(environments, mode: 0o700)
        try TrustedFiles.makeDirectory("\(environments)/\(environment)", mode: 0o700)
        try TrustedFiles.makeDirectory("\(environments)/\(environment)/volumes", mode: 0o700)
        let path = "\(environments)/\(environment)/volumes/\(volume)"
        if TrustedFiles.exists(path) { return path }
        // Before it is there: one that is found unmarked has been seeded.
        try TrustedFiles.update(freshMark(volume, of: environment), with: "", mode: 0o600)
        let fresh = "\(environments)/\(environment)/.\(volume).new"
        try TrustedFiles.makeDirectory(fresh, mode: 0o755)
        guard chown(fresh, uid_t(firstID), gid_t(firstID)) == 0 else { throw TrustedFiles.failure("own \(fresh)") }
        guard rename(fresh, path) == 0 else { throw TrustedFiles.failure("make \(path)") }
        return path
    }

    /// Which volumes no container had yet: one mark each, beside them.
    private func freshMark(_ volume: VolumeName, of environment: ResourceID) -> String { "\(environments)/\(environment)/.\(volume).fresh" }

    func isFresh(_ volume: VolumeName, of environment: ResourceID) -> Bool { TrustedFiles.exists(freshMark(volume, of: environment)) }

    func setUsed(_ volume: VolumeName, of environment: ResourceID) throws {
        let mark = freshMark(volume, of: environment)
        guard unlink(mark) == 0 || errno == ENOENT else { throw TrustedFiles.failure("remove \(mark)") }
    }

    /// Removes all homes and volumes.
    func purge() async throws {
        for directory in ["machines", "environments"] { try await remove(directory, below: stateDirectory) }
    }

    func removeVolumes(of environment: ResourceID) async throws {
        try await remove("\(environment)", below: environments)
    }

    func remove(_ entry: String, below directory: String) async throws {
        guard TrustedFiles.exists(directory) else { return }
        try await remove(entry, in: TrustedDirectory(directory))
    }

    /// `rm` walks by file descriptors and never follows a link; it starts in a directory that we hold open, so no renaming leads it astray.
    private func remove(_ entry: String, in directory: TrustedDirectory) async throws {
        try await runner.succeed(Command("/usr/bin/rm", ["-rf", "--one-file-system", "--", "\(directory.path)/\(entry)"], timeout: .seconds(3600)))
        if directory.contains(entry) {
            throw KilnError(.engineFailed, "Cannot remove \(entry.printable()): something is mounted in it or made it immutable.")
        }
    }
}
