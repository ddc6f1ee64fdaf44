import Glibc
import KilnModel

/// Small file work in directories that only root controls. What a workspace controls is touched by `TrustedDirectory` alone.
enum TrustedFiles {
    /// Makes a directory unless it is there; its parent must exist.
    static func makeDirectory(_ path: String, mode: mode_t) throws(KilnError) {
        guard mkdir(path, mode) == 0 else {
            if errno == EEXIST { return }
            throw failure("make the directory \(path)")
        }
        // mkdir obeys the umask; the mode asked for is the one that must hold.
        guard chmod(path, mode) == 0 else { throw failure("set the mode of \(path)") }
    }

    /// The names in a directory; empty when it is not there.
    static func list(_ path: String) throws(KilnError) -> [String] {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return [] }
            throw failure("list \(path)")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The bytes of a small file, or nil when it cannot be read.
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 { return nil }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    static func readText(_ path: String) -> String? {
        read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Replaces a file's content in one step, unless it is that already. Returns whether it changed.
    @discardableResult
    static func replace(_ path: String, with text: String, mode: mode_t, owner: Int = 0) throws(KilnError) -> Bool {
        try replace(path, with: Array(text.utf8), mode: mode, user: owner, group: owner)
    }

    @discardableResult
    static func replace(_ path: String, with content: [UInt8], mode: mode_t, user: Int, group: Int) throws(KilnError) -> Bool {
        if read(path) == content { return false }
        // Its own: two may write the same file at once.
        let temporary = "\(path).\(String(UInt32.random(in: 0...UInt32.max), radix: 16)).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure("write \(path)") }
        var bytes = content[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                let error = failure("write \(path)")
                close(descriptor)
                unlink(temporary)
                throw error
            }
            bytes = bytes.dropFirst(count)
        }
        let finished = fchmod(descriptor, mode) == 0 && fchown(descriptor, uid_t(user), gid_t(group)) == 0
        close(descriptor)
        guard finished, rename(temporary, path) == 0 else { throw failure("write \(path)") }
        return true
    }

    /// Removes a directory of plain files, or nothing when it is not there.
    static func removeDirectory(_ path: String) throws(KilnError) {
        for name in try list(path) {
            let entry = "\(path)/\(name)"
            guard unlink(entry) == 0 || errno == ENOENT || rmdir(entry) == 0 else { throw failure("remove \(entry)") }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure("remove \(path)") }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Inode of what `path` leads to; of a namespace file, the namespace's identity.
    static func inode(_ path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// The user whose `path` is; nil when there is none.
    static func owner(_ path: String) -> Int? {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_uid) : nil
    }

    /// The error for the current `errno`.
    static func failure(_ what: String) -> KilnError {
        let number = errno
        let cause = String(cString: strerror(number))
        if number == ENOSPC || number == EDQUOT {
            return KilnError(.diskFull, "The disk is full: cannot \(what).", hint: "Free space on the workmachine, then try again; nothing was lost.")
        }
        return KilnError(.engineFailed, "Cannot \(what): \(cause).")
    }
}
