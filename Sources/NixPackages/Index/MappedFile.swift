import FileWork
import Glibc
import KilnModel

/// Files read in place. Whoever changes such a file puts a new one in its place (`TrustedFiles.replace`): one that is cut short under a mapping
/// ends the process.
enum MappedFile {
    /// Runs `body` on the bytes of the file at `path`, which are mapped only meanwhile.
    /// - Throws: `engine-failed` when the file cannot be read, or what `body` throws.
    static func read<Result>(_ path: String, _ body: (UnsafeRawBufferPointer) throws(KilnError) -> Result) throws(KilnError) -> Result {
        let mapping = try FileMapping(path)
        defer { withExtendedLifetime(mapping) {} }
        return try body(mapping.bytes)
    }
}

/// A file's bytes, for as long as this object lives.
final class FileMapping {
    let bytes: UnsafeRawBufferPointer

    /// - Parameter isReadWhole: all of it will be read: one call instead of a fault for every few pages.
    /// - Throws: `engine-failed` when the file cannot be read.
    init(_ path: String, isReadWhole: Bool = true) throws(KilnError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TrustedFiles.failure("open \(path)") }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw TrustedFiles.failure("measure \(path)") }
        let length = Int(information.st_size)
        guard length > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let flags = isReadWhole ? MAP_PRIVATE | MAP_POPULATE : MAP_PRIVATE
        guard let start = mmap(nil, length, PROT_READ, flags, descriptor, 0), start != MAP_FAILED else { throw TrustedFiles.failure("map \(path)") }
        bytes = UnsafeRawBufferPointer(start: start, count: length)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }
}
