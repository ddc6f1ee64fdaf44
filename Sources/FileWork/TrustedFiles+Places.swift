public import Glibc
public import KilnModel

extension TrustedFiles {
    /// Puts a file in the place of another in one step; both on one disk.
    public static func move(_ path: String, to destination: String) throws(KilnError) {
        guard rename(path, destination) == 0 else { throw failure("move \(path) to \(destination)") }
    }

    /// Makes `path` a link to `target`, in one step when it is another link.
    public static func link(_ path: String, to target: String) throws(KilnError) {
        if symlink(target, path) == 0 { return }
        guard errno == EEXIST else { throw failure("make the link \(path)") }
        if destination(path) == target { return }
        let temporary = path + ".new"
        unlink(temporary)
        guard symlink(target, temporary) == 0, rename(temporary, path) == 0 else { throw failure("make the link \(path)") }
    }

    /// What a link says; nil when there is none.
    public static func destination(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Removes a file or a tree, never following a link; done when it is not there.
    public static func remove(_ path: String) throws(KilnError) {
        if unlink(path) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw failure("remove \(path)") }
        for name in try list(path) { try remove("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure("remove \(path)") }
    }

    /// Removes a directory of plain files and empty directories, never what lies deeper; done when it is not there.
    public static func removeDirectory(_ path: String) throws(KilnError) {
        for name in try list(path) {
            let entry = "\(path)/\(name)"
            guard unlink(entry) == 0 || errno == ENOENT || rmdir(entry) == 0 else { throw failure("remove \(entry)") }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure("remove \(path)") }
    }

    /// Removes a directory that held a mount, never what is in it; done when it is not there.
    public static func removeEmptyDirectory(_ path: String) throws(KilnError) {
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure("remove \(path)") }
    }

    /// Whether there is anything by that name, a dangling link included.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Seconds since a file was written, or anything was made or removed in a directory; nil when it is not there.
    public static func age(_ path: String) -> Int? {
        var status = stat()
        return lstat(path, &status) == 0 ? time(nil) - status.st_mtim.tv_sec : nil
    }

    /// Lets a file be as old as if it were written now.
    /// - Returns: whether it is there.
    public static func touch(_ path: String) throws(KilnError) -> Bool {
        if utimensat(AT_FDCWD, path, nil, 0) == 0 { return true }
        guard errno == ENOENT else { throw failure("set the time of \(path)") }
        return false
    }

    /// Removes what lies in a directory and is older than so many seconds.
    public static func remove(in directory: String, olderThan age: Int, unless isNeeded: (String) -> Bool = { _ in false }) throws(KilnError) {
        for name in try list(directory) where !isNeeded(name) {
            if let own = Self.age("\(directory)/\(name)"), own > age { try remove("\(directory)/\(name)") }
        }
    }

    /// Inode of what `path` leads to; of a namespace file, the namespace's identity.
    public static func inode(_ path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// The user whose `path` is; nil when there is none.
    public static func owner(_ path: String) -> Int? {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_uid) : nil
    }

    /// The error for a system call that failed.
    /// - Parameters:
    ///   - what: `write /etc/x`.
    ///   - number: its `errno`.
    public static func failure(_ what: String, code number: CInt = errno) -> KilnError {
        if number == ENOSPC || number == EDQUOT {
            return KilnError(
                .diskFull, "The disk is full: cannot \(what).",
                hint: "Free space on the workmachine, then try again; nothing was lost. kl pkg gc frees packages that no workspace needs.")
        }
        return KilnError(.engineFailed, "Cannot \(what): \(String(cString: strerror(number))).")
    }
}
