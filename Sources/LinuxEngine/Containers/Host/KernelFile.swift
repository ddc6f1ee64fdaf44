import FileWork
import Glibc
import KilnModel

/// A file of the kernel's by which something is set: it takes a value in one write, and cannot be replaced.
enum KernelFile {
    /// - Throws: `KilnError` with what the kernel said.
    static func set(_ path: String, to value: String) throws(KilnError) {
        let file = Descriptor(owning: open(path, O_WRONLY | O_CLOEXEC))
        guard file.number >= 0, write(file.number, value, value.utf8.count) == value.utf8.count else {
            throw TrustedFiles.failure("write \(value) to \(path)")
        }
    }
}
