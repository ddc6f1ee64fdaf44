/// Paths of the files around a Compose file, by text alone.
public enum ProjectPath {
    /// `path` as it is seen from the project's folder when it was written in `folder`. A path written in the project's own folder stays as it is.
    public static func resolve(_ path: String, in folder: String) -> String {
        folder.isEmpty || path.hasPrefix("/") ? path : normal("\(folder)/\(path)")
    }

    /// Without `.`, without `..` where it can be helped, without repeated or closing slashes; `.` when nothing is left.
    public static func normal(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !path.hasPrefix("/") {
                parts.append(part)
            }
        }
        let joined = parts.joined(separator: "/")
        return path.hasPrefix("/") ? "/\(joined)" : joined.isEmpty ? "." : joined
    }

    /// What `path` is relative to when it is a file's: everything before the last slash.
    public static func folder(of path: String) -> String {
        let normal = normal(path)
        return normal.lastIndex(of: "/").map { String(normal[..<$0]) } ?? ""
    }
}
