import KilnModel

/// Watches a build context's tar go by and refuses what would make root read a file of the host: a Containerfile or ignore file that is a
/// link, or lies behind one. The build's program follows such links itself, as root; everything else in a context it reads confined.
struct ContextScan {
    private let containerfile: [String]
    private var protected: [[String]]
    private var reader = TarReader()
    private(set) var hasContainerfile = false

    /// - Throws: `KilnError` with `invalid-build-context` when `containerfile` is not a plain relative path.
    init(containerfile: String) throws(KilnError) {
        let parts = Self.components(containerfile)
        guard !containerfile.hasPrefix("/"), !containerfile.hasPrefix("-"), !parts.isEmpty, !parts.contains("..") else {
            throw KilnError(.invalidBuildContext, "“\(containerfile.printable(limit: 80))” is not a path within the build context.")
        }
        self.containerfile = parts
        protected = [parts, [".dockerignore"], [".containerignore"]]
        for name in [".dockerignore", ".containerignore"] { protected.append(parts.dropLast() + [parts[parts.count - 1] + name]) }
    }

    /// Takes the next piece, of any size.
    mutating func append(_ bytes: [UInt8]) throws(KilnError) {
        var members: [TarReader.Member] = []
        try reader.append(bytes) { event throws(KilnError) in
            if case .member(let member) = event { members.append(member) }
        }
        for member in members { try check(member.components, isFile: member.kind == .file, isFolder: member.kind == .folder) }
    }

    private mutating func check(_ path: [String], isFile: Bool, isFolder: Bool) throws(KilnError) {
        guard !path.contains("..") else { throw Self.linked(path) }
        if path == containerfile, isFile { hasContainerfile = true }
        for wanted in protected where wanted.starts(with: path) {
            guard path.count == wanted.count ? isFile : isFolder else { throw Self.linked(path) }
        }
    }

    private static func components(_ path: String) -> [String] { path.split(separator: "/").map(String.init).filter { $0 != "." } }

    private static func linked(_ path: [String]) -> KilnError {
        KilnError(
            .invalidBuildContext, "“\(path.joined(separator: "/").printable(limit: 80))” in the build context is a link or leaves the context.",
            hint: "Put the file itself there.")
    }
}
