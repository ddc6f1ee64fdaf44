public import Glibc
public import KilnModel

/// Small file work in directories that only root controls; every path is absolute.
///
/// Nothing here minds links on the way to a path. Where somebody else may put some, as in a home, this is the wrong tool.
public enum TrustedFiles {
    /// Makes a directory unless it is there; its parent must exist.
    /// - Throws: `disk-full`, else `engine-failed`, as does all that follows.
    public static func makeDirectory(_ path: String, mode: mode_t) throws(KilnError) {
        guard mkdir(path, mode) == 0 else {
            if errno == EEXIST { return }
            throw failure("make the directory \(path)")
        }
        // mkdir obeys the umask; the mode asked for is the one that must hold.
        guard chmod(path, mode) == 0 else { throw failure("set the mode of \(path)") }
    }

    /// Makes a directory unless it is there, and its parents, which everybody may read.
    public static func makeDirectories(_ path: String, mode: mode_t) throws(KilnError) {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            let parent = String(path[..<slash])
            if !exists(parent) { try makeDirectories(parent, mode: 0o755) }
        }
        try makeDirectory(path, mode: mode)
    }

    /// The names in a directory, in the order of their bytes; empty when it is not there.
    public static func list(_ path: String) throws(KilnError) -> [String] {
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

    /// The bytes of a file, to its end also where its size is said to be 0, as in /proc; nil when it is not there.
    public static func read(_ path: String) throws(KilnError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ESRCH { return nil }
            throw failure("open \(path)")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                // Of a process that ended after its file was opened, or while it was (proc(5)).
                if errno == ESRCH { return nil }
                throw failure("read \(path)")
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    public static func readText(_ path: String) throws(KilnError) -> String? {
        try read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The text of a file that has to be there.
    public static func text(of path: String) throws(KilnError) -> String {
        guard let text = try readText(path) else { throw failure("read \(path)", code: ENOENT) }
        return text
    }

    /// Puts a file in place in one step, also where one with the same content is.
    public static func replace(_ path: String, with text: String, mode: mode_t = 0o644) throws(KilnError) {
        try replace(path, with: Array(text.utf8), mode: mode)
    }

    /// - Parameters:
    ///   - user: whose it becomes; nil: root's, as whoever runs this.
    public static func replace(
        _ path: String, with content: [UInt8], mode: mode_t = 0o644, user: Int? = nil, group: Int? = nil
    ) throws(KilnError) {
        // A name of its own: two may write the same file at the same time.
        let temporary = "\(path).\(String(UInt32.random(in: 0...UInt32.max), radix: 16)).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure("write \(path)") }
        do throws(KilnError) {
            defer { close(descriptor) }
            try write(content, to: descriptor, of: path)
            guard fchmod(descriptor, mode) == 0 else { throw failure("set the mode of \(path)") }
            if user != nil || group != nil {
                guard fchown(descriptor, user.map(uid_t.init) ?? .max, group.map(gid_t.init) ?? .max) == 0 else { throw failure("own \(path)") }
            }
            guard rename(temporary, path) == 0 else { throw failure("write \(path)") }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func write(_ content: [UInt8], to descriptor: CInt, of path: String) throws(KilnError) {
        var rest = content[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure("write \(path)") }
            rest = rest.dropFirst(count)
        }
    }

    /// Puts a file in place in one step, unless it has that content already: what is mounted into a container stays the same file.
    /// - Returns: whether it changed.
    @discardableResult
    public static func update(_ path: String, with text: String, mode: mode_t, owner: Int? = nil) throws(KilnError) -> Bool {
        try update(path, with: Array(text.utf8), mode: mode, user: owner, group: owner)
    }

    @discardableResult
    public static func update(
        _ path: String, with content: [UInt8], mode: mode_t, user: Int? = nil, group: Int? = nil
    ) throws(KilnError) -> Bool {
        if try read(path) == content { return false }
        try replace(path, with: content, mode: mode, user: user, group: group)
        return true
    }
}
