import CLinux
import FileWork
import Glibc
import KilnModel

/// Writes what a tar holds below a folder that nobody else reaches yet.
///
/// The tar comes from a user, and root writes. So every path is opened beneath the folder without following a link (`openat2`), every file is
/// a new one, everything belongs to the user's range, and there are neither devices, nor setuid, nor links that lead out.
final class TreeWriter {
    /// Members that a tar may have: more than any project, fewer than would wear out a disk's inodes.
    private static let maximumMembers = 500_000

    private let root: Descriptor
    private let kind: FileCopy.Kind
    private let owner: (user: uid_t, group: gid_t)
    /// Permission bits of all files; nil: those they come with.
    private let mode: mode_t?
    private var members = 0
    private var file: Descriptor?

    /// - Parameters:
    ///   - folder: exists, is empty, and is root's alone. The copy becomes `item` in it.
    ///   - firstID: the host's id of root inside the containers.
    ///   - access: what all of it is given.
    init(folder: String, kind: FileCopy.Kind, firstID: Int, access: FileCopy.Access? = nil) throws(KilnError) {
        let ids = 0..<Instance.rangeSize
        guard ids.contains(access?.user ?? 0), ids.contains(access?.group ?? 0) else {
            throw KilnError(.serviceFailed, "The owner of a folder does not exist in a service.", hint: "Use ids below \(Instance.rangeSize).")
        }
        self.kind = kind
        owner = (uid_t(firstID + (access?.user ?? 0)), gid_t(firstID + (access?.group ?? 0)))
        mode = access?.mode.map { mode_t($0 & 0o777) }
        let parent = Descriptor(owning: open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW))
        guard parent.number >= 0 else { throw TrustedFiles.failure("open \(folder)") }
        guard kind == .folder else {
            root = parent
            return
        }
        try Self.makeFolder(Self.item, mode: mode.map(Self.enterable) ?? 0o755, in: parent, owner: owner)
        root = Descriptor(owning: openat(parent.number, Self.item, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW))
        guard root.number >= 0 else { throw TrustedFiles.failure("open \(folder)") }
    }

    /// The name of the copy in its folder.
    static let item = "item"

    func take(_ event: TarReader.Event) throws(KilnError) {
        switch event {
        case .member(let member): try begin(member)
        case .content(let bytes): try write(bytes)
        case .end: file = nil
        }
    }

    /// - Throws: `invalid-build-context` when nothing came for a copy that is a file.
    func finish() throws(KilnError) {
        guard kind == .folder || members == 1 else { throw Self.refusal("nothing", "it holds no file") }
    }

    private func begin(_ member: TarReader.Member) throws(KilnError) {
        members += 1
        guard members <= Self.maximumMembers else { throw Self.refusal(member.path, "there are more than \(Self.maximumMembers) files") }
        let mode = self.mode ?? mode_t(member.mode & 0o777)
        if kind == .file {
            guard members == 1, member.kind == .file, member.path == FileCopy.memberName else {
                throw Self.refusal(member.path, "one file was expected")
            }
            return file = try makeFile(Self.item, mode: mode, in: root)
        }
        let parts = member.components
        guard !member.path.hasPrefix("/"), let name = parts.last, !parts.contains(".."), !parts.contains(where: { $0.utf8.contains(0) }) else {
            throw Self.refusal(member.path, "its path leaves the folder")
        }
        let folder = try folder(parts.dropLast())
        switch member.kind {
        case .folder: try Self.makeFolder(name, mode: self.mode.map(Self.enterable) ?? mode, in: folder, owner: owner)
        case .file: file = try makeFile(name, mode: mode, in: folder)
        case .symbolicLink:
            guard Self.staysInside(member.target, from: parts.dropLast().count) else {
                throw Self.refusal(member.path, "it is a link that leads out")
            }
            guard symlinkat(member.target, folder.number, name) == 0 else { throw Self.failure(member.path) }
            guard fchownat(folder.number, name, owner.user, owner.group, AT_SYMLINK_NOFOLLOW) == 0 else { throw Self.failure(member.path) }
        case .other: throw Self.refusal(member.path, "it is neither a file, nor a folder, nor a link")
        }
    }

    private func folder(_ parts: ArraySlice<String>) throws(KilnError) -> Descriptor {
        guard !parts.isEmpty else { return root }
        let path = parts.joined(separator: "/")
        let resolve = UInt64(LINUX_RESOLVE_BENEATH | LINUX_RESOLVE_NO_SYMLINKS | LINUX_RESOLVE_NO_XDEV)
        let folder = Descriptor(owning: linux_openat2(root.number, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, resolve))
        guard folder.number >= 0 else { throw Self.refusal(path, "it is not a folder of what was sent") }
        return folder
    }

    private func makeFile(_ name: String, mode: mode_t, in folder: Descriptor) throws(KilnError) -> Descriptor {
        let file = Descriptor(owning: openat(folder.number, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600))
        guard file.number >= 0, fchown(file.number, owner.user, owner.group) == 0, fchmod(file.number, mode) == 0 else { throw Self.failure(name) }
        return file
    }

    private static func makeFolder(_ name: String, mode: mode_t, in folder: Descriptor, owner: (user: uid_t, group: gid_t)) throws(KilnError) {
        guard mkdirat(folder.number, name, 0o700) == 0 else { throw failure(name) }
        // New, and in a tree that nobody else reaches: this is the folder just made.
        guard fchownat(folder.number, name, owner.user, owner.group, AT_SYMLINK_NOFOLLOW) == 0, fchmodat(folder.number, name, mode, 0) == 0 else {
            throw failure(name)
        }
    }

    /// A folder's bits for files with these: whoever may read may enter.
    private static func enterable(_ mode: mode_t) -> mode_t { mode | (mode & 0o444) >> 2 }

    private func write(_ bytes: ArraySlice<UInt8>) throws(KilnError) {
        guard let file else { return }
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("a file") }
            rest = rest.dropFirst(count)
        }
    }

    /// By its text alone; what it means in a container is the container's business.
    private static func staysInside(_ target: String, from depth: Int) -> Bool {
        guard !target.hasPrefix("/"), !target.isEmpty, !target.utf8.contains(0) else { return false }
        var depth = depth
        for part in target.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { return false }
        }
        return true
    }

    private static func refusal(_ path: String, _ why: String) -> KilnError {
        KilnError(.invalidBuildContext, "“\(path.printable(limit: 80))” cannot be kept for services: \(why).", hint: "Remove it, then try again.")
    }

    private static func failure(_ path: String) -> KilnError {
        if errno == EEXIST { return refusal(path, "it is there twice") }
        return TrustedFiles.failure("keep “\(path.printable(limit: 80))”")
    }
}
