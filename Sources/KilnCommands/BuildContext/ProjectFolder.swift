internal import Glibc
internal import KilnModel

/// The folder around a Compose file, and what of it may leave this machine.
///
/// kilnd reads the files and says what else it needs. It gets nothing that they do not name: what lies outside the folder must be written in
/// one of them, word for word.
struct ProjectFolder {
    /// Ends with a slash, or is empty for the current folder.
    let prefix: String

    /// - Parameter file: path of the first Compose file.
    init(of file: String) { prefix = file.lastIndex(of: "/").map { String(file[...$0]) } ?? "" }

    /// Where a path of the project lies.
    func place(_ path: String) -> String { path.hasPrefix("/") ? path : prefix + path }

    static func isInside(_ path: String) -> Bool {
        let normal = ProjectPath.normal(path)
        return !normal.hasPrefix("/") && normal != ".." && !normal.hasPrefix("../")
    }

    /// Whether a path outside the folder is written in one of the texts.
    /// - Parameter texts: path within the project → text.
    static func isWritten(_ path: String, in texts: [(path: String, text: String)]) -> Bool {
        let wanted = ProjectPath.normal(path)
        return texts.contains { file in
            let folder = ProjectPath.folder(of: file.path)
            return file.text.split(whereSeparator: { " \t\r\n\"'`,:;=[]{}()".contains($0) }).contains { word in
                word.contains("/") && ProjectPath.normal(ProjectPath.resolve(String(word), in: folder)) == wanted
            }
        }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func read(_ path: String) throws(KilnError) -> String {
        let bytes = try readBytes(path, limit: 1 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw KilnError(.init("invalid-file", .usage), "\(path.printable()) is not a text file.")
        }
        return text
    }

    /// - Throws: `file-not-found`, or `invalid-file` when it cannot be read or has more than `limit` bytes.
    static func readBytes(_ path: String, limit: Int) throws(KilnError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code: KilnError.Code = errno == ENOENT ? .init("file-not-found", .usage) : .invalidFile
            throw KilnError(code, "\(path.printable()) cannot be read: \(String(cString: strerror(errno))).", hint: "ls -l \(path.printable())")
        }
        defer { close(descriptor) }
        guard let bytes = readAll(descriptor), bytes.count <= limit else {
            throw KilnError(.init("invalid-file", .usage), "\(path.printable()) is not a file of at most \(limit >> 10) KiB.")
        }
        return bytes
    }

    /// As an absolute path, as the user sees it: the shell's own idea of where it is, links included.
    func absolute(_ environment: [String: String]) -> String? {
        if prefix.hasPrefix("/") { return ProjectPath.normal(prefix) }
        var (here, there) = (stat(), stat())
        if let shown = environment["PWD"], shown.hasPrefix("/"), stat(shown, &there) == 0, stat(".", &here) == 0, here.st_ino == there.st_ino,
            here.st_dev == there.st_dev
        {
            return ProjectPath.normal("\(shown)/\(prefix)")
        }
        guard let path = getcwd(nil, 0) else { return nil }
        defer { free(path) }
        return ProjectPath.normal("\(String(cString: path))/\(prefix)")
    }
}
