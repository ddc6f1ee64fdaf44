import Glibc

/// A file's bytes, mapped while this value lives. Whoever changes such a file puts a new one in its place (`replaceFile`): one that is cut short
/// under a mapping ends the process.
struct MappedFile: ~Copyable {
    let bytes: UnsafeRawBufferPointer

    /// - Throws: `SystemCallFailed`.
    init(path: String) throws(SystemCallFailed) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallFailed("open", path) }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw SystemCallFailed("fstat", path) }
        guard information.st_size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let length = Int(information.st_size)
        // All of it will be read: one call instead of a fault for every few pages.
        guard let start = mmap(nil, length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0), start != MAP_FAILED else {
            throw SystemCallFailed("mmap", path)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: length)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }
}

/// A system call on a file that failed.
struct SystemCallFailed: Error, CustomStringConvertible {
    let code: Int32
    let description: String

    /// Takes the error from `errno`.
    init(_ call: String, _ path: String) {
        code = errno
        description = "\(call) \(path): \(String(cString: strerror(code)))"
    }
}
