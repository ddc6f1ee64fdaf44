import CTerminal
import FileWork
import Glibc
import KilnModel

/// The mounts of this process's namespace (`proc_pid_mountinfo(5)`).
struct MountTable {
    struct Entry: Sendable, Hashable {
        var point: String
        var type: String
        var superOptions: [String]
    }

    static func current() throws -> [Entry] {
        parse(try TrustedFiles.text(of: "/proc/self/mountinfo"))
    }

    /// Mount points at or below `folder`, innermost first.
    static func points(within folder: String) throws -> [String] {
        try current().map(\.point).filter { $0 == folder || $0.hasPrefix("\(folder)/") }.reversed()
    }

    /// Done when nothing is mounted there.
    static func unmount(_ path: String) throws(KilnError) {
        let code = kiln_unmount(path)
        guard code == 0 || code == -EINVAL || code == -ENOENT else { throw TrustedFiles.failure("unmount \(path)", code: -code) }
    }

    static func parse(_ text: String) -> [Entry] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, dash > 4 else { return nil }
            return Entry(
                point: unescape(fields[4]), type: String(fields[dash + 1]), superOptions: fields[dash + 3].split(separator: ",").map(String.init))
        }
    }

    /// Space, tab, newline and backslash are written as octal.
    private static func unescape(_ text: Substring) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3, let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
                result.append(value)
                rest = rest.dropFirst(3)
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
