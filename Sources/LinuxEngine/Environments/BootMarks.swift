import FileWork
import Glibc
import KilnModel

/// Remembers which containers were started since the machine booted: one small file each, holding the kernel's boot id.
///
/// A container that ended because the machine went down looks like one whose program ended; the mark tells them apart. (/run is no tmpfs on
/// every machine, so the mark's mere existence would not.)
struct BootMarks: Sendable {
    let directory: String

    func set(_ container: String) throws {
        try TrustedFiles.makeDirectory(directory, mode: 0o700)
        try TrustedFiles.update("\(directory)/\(container)", with: Self.bootID(), mode: 0o600)
    }

    func isSet(_ container: String) throws -> Bool { try TrustedFiles.readText("\(directory)/\(container)") == Self.bootID() }

    func clear(_ container: String) throws {
        guard unlink("\(directory)/\(container)") == 0 || errno == ENOENT else { throw TrustedFiles.failure("remove the mark of \(container)") }
    }

    /// random(4): fixed from boot to boot.
    private static func bootID() throws -> String { try TrustedFiles.readText("/proc/sys/kernel/random/boot_id") ?? "" }
}
