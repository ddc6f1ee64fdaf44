import Crypto
import KilnModel
import WorkspaceEngine

/// A tar of a few members, written by hand so that it may also hold what no honest program would write.
struct Tar {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ path: String, type: Character = "0", mode: Int = 0o644, target: String = "", content: String = "") {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) { header.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8) }
        func octal(_ number: Int, digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(path, at: 0)
        put(octal(mode, digits: 7), at: 100)
        put(octal(content.utf8.count, digits: 11), at: 124)
        put("\(type)", at: 156)
        put(target, at: 157)
        put("ustar", at: 257)
        bytes += header + Array(content.utf8)
        bytes += [UInt8](repeating: 0, count: (512 - content.utf8.count % 512) % 512)
    }

    /// With the two empty blocks that end it.
    var complete: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    func copy(_ kind: FileCopy.Kind, origin: String = "conf") throws -> FileCopy {
        let digest = SHA256.hash(data: complete).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return FileCopy(origin: origin, kind: kind, digest: try ContentDigest(digest))
    }

    /// In pieces of an awkward size.
    func stream() -> ByteStream {
        let (bytes, offset) = (complete, Offset())
        return ByteStream(unfolding: {
            let piece = bytes.dropFirst(offset.value).prefix(333)
            offset.value += piece.count
            return piece.isEmpty ? nil : Array(piece)
        })
    }

    /// One reader takes one piece after the other.
    private final class Offset: @unchecked Sendable { var value = 0 }
}
