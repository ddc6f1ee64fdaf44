import Glibc
import KilnModel

/// Files read in place. Whoever changes such a file puts a new one in its place (`HostFiles.replace`): one that is cut short under a mapping
/// ends the process.
enum MappedFile {
    /// Runs `body` on the bytes of the file at `path`, which are mapped only meanwhile.
    /// - Throws: `engine-failed` when the file cannot be read, or what `body` throws.
    static func read<Result>(_ path: String, _ body: (UnsafeRawBufferPointer) throws(KilnError) -> Result) throws(KilnError) -> Result {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw HostFiles.failure("open \(path)") }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw HostFiles.failure("measure \(path)") }
        let length = Int(information.st_size)
        guard length > 0 else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        // All of it will be read: one call instead of a fault for every few pages.
        guard let start = mmap(nil, length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0), start != MAP_FAILED else {
            throw HostFiles.failure("map \(path)")
        }
        defer { munmap(start, length) }
        return try body(UnsafeRawBufferPointer(start: start, count: length))
    }
}
