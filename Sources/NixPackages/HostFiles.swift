import Glibc
import KilnModel

/// Small file work in directories that only root controls.
enum HostFiles {
    /// Makes a directory with its parents, unless it is there.
    static func makeDirectory(_ path: String, mode: mode_t) throws(KilnError) {
        if mkdir(path, mode) == 0 {
            // mkdir obeys the umask; the mode asked for is the one that must hold.
            guard chmod(path, mode) == 0 else { throw failure("set the mode of \(path)") }
        } else if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectory(String(path[..<slash]), mode: 0o755)
            try makeDirectory(path, mode: mode)
        } else if errno != EEXIST {
            throw failure("make the directory \(path)")
        }
    }

    /// The names in a directory, in the order of their bytes; empty when it is not there.
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
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The bytes of a file; nil when it is not there.
    static func read(_ path: String) throws(KilnError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("open \(path)")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw failure("read \(path)") }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    /// Puts a file in place in one step.
    static func replace(_ path: String, with text: String, mode: mode_t = 0o644) throws(KilnError) {
        try replace(path, with: Array(text.utf8), mode: mode)
    }

    static func replace(_ path: String, with content: [UInt8], mode: mode_t = 0o644) throws(KilnError) {
        // A name of its own: two may write the same file at the same time.
        let temporary = "\(path).\(UInt32.random(in: 0...UInt32.max)).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure("write \(path)") }
        var rest = content[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                let error = failure("write \(path)")
                close(descriptor)
                unlink(temporary)
                throw error
            }
            rest = rest.dropFirst(count)
        }
        let isDone = fchmod(descriptor, mode) == 0
        close(descriptor)
        guard isDone, rename(temporary, path) == 0 else { throw failure("write \(path)") }
    }

    /// Puts a file in the place of another in one step; both on one disk.
    static func move(_ path: String, to destination: String) throws(KilnError) {
        guard rename(path, destination) == 0 else { throw failure("move \(path) to \(destination)") }
    }

    /// Makes `path` a link to `target`, in one step when it is another link.
    static func link(_ path: String, to target: String) throws(KilnError) {
        if symlink(target, path) == 0 { return }
        guard errno == EEXIST else { throw failure("make the link \(path)") }
        if destination(path) == target { return }
        let temporary = path + ".new"
        unlink(temporary)
        guard symlink(target, temporary) == 0, rename(temporary, path) == 0 else { throw failure("make the link \(path)") }
    }

    /// What a link says; nil when there is none.
    static func destination(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Removes a tree, never following a link; done when it is not there.
    static func remove(_ path: String) throws(KilnError) {
        if unlink(path) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw failure("remove \(path)") }
        for name in try list(path) { try remove("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure("remove \(path)") }
    }

    /// Whether there is anything by that name, a dangling link included.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// The error for the current `errno`.
    static func failure(_ what: String) -> KilnError {
        let number = errno
        if number == ENOSPC || number == EDQUOT {
            return KilnError(.diskFull, "The disk is full: cannot \(what).", hint: "kl pkg gc frees what no workspace needs.")
        }
        return KilnError(.engineFailed, "Cannot \(what): \(String(cString: strerror(number))).")
    }
}
