import Glibc

/// Puts a file with `bytes` in the place of whatever is at `path`, in one step and for good: readers see the old one or the new one whole.
/// - Throws: `SystemCallFailed`.
func replaceFile(at path: String, with bytes: some Collection<UInt8>, mode: mode_t = 0o644) throws(SystemCallFailed) {
    let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36))"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemCallFailed("open", path) }
    do throws(SystemCallFailed) {
        defer { close(descriptor) }
        try writeAll(bytes, to: descriptor, path: path)
        guard fchmod(descriptor, mode) == 0 else { throw SystemCallFailed("fchmod", path) }
        guard fsync(descriptor) == 0 else { throw SystemCallFailed("fsync", path) }
        guard rename(temporary, path) == 0 else { throw SystemCallFailed("rename", path) }
    } catch {
        unlink(temporary)
        throw error
    }
}

private func writeAll(_ bytes: some Collection<UInt8>, to descriptor: Int32, path: String) throws(SystemCallFailed) {
    let whole = ContiguousArray(bytes)
    var start = 0
    while start < whole.count {
        let written = whole.withUnsafeBytes { write(descriptor, $0.baseAddress! + start, $0.count - start) }
        if written < 0 {
            if errno == EINTR { continue }
            throw SystemCallFailed("write", path)
        }
        start += written
    }
}
