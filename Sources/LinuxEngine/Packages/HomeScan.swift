import CommandRunner
import FileWork
import KilnModel

/// Finds the paths of the store that files in a home name: links, what interpreters and loaders of programs are, where a venv came from.
///
/// Root does not walk there. The search begins in the home's folder and runs as the `dev` of its workspaces, without any privilege, and what it
/// says are names to compare with, nothing more.
struct HomeScan: Sendable {
    let runner: any CommandRunner

    /// `$1` is the home, `$2` the user. Digits of a store path as in `StorePath`. Only what can be run is read to the end: the text of a log that
    /// names a path needs nothing of it.
    private static let script = #"""
        cd -- "$1" && setpriv --reuid "$2" --regid "$2" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
            nice -n 19 find . -xdev -type l -lname '/nix/store/*' -printf '%l\n' -o \
            -type f -size -128M '(' -perm /111 -o -name pyvenv.cfg -o -name '*.pth' ')' \
            -exec grep -ohaE '/nix/store/[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+._?=-]+' '{}' + 2>/dev/null | LC_ALL=C sort -u
        """#

    func storePaths(named home: String, userID: Int) async throws -> Set<StorePath> {
        guard TrustedFiles.exists(home) else { return [] }
        let text = try await runner.succeed(
            Command("/bin/sh", ["-c", Self.script, "sh", home, "\(userID)"], timeout: .seconds(1800), outputLimit: 64 << 20))
        return Set(text.split(separator: "\n").compactMap(Self.storePath))
    }

    /// The path of the store that `text` is or lies in.
    static func storePath(_ text: Substring) -> StorePath? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: true)
        guard text.hasPrefix(StorePath.store + "/"), parts.count >= 3 else { return nil }
        return try? StorePath("\(StorePath.store)/\(parts[2])")
    }
}
