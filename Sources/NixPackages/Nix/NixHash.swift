import Crypto
import KilnModel

/// How Nix names store paths: the part of its hashing that a name hangs on (Nix manual, “Store path”; `libstore/store-api.cc`). Pure.
enum NixHash {
    /// Nix's base 32: no e, o, t and u.
    private static let digits = Array("0123456789abcdfghijklmnpqrsvwxyz".utf8)

    /// The path of a single file whose contents have the SHA-256 digest `sha256` (hexadecimal), as `nix-store --add-fixed sha256` gives it.
    static func fixedPath(sha256: String, name: String) throws(KilnError) -> StorePath {
        try path(type: "output:out", digest: hexadecimal(of: "fixed:out:sha256:\(sha256):"), name: name)
    }

    /// The path of what is `type`, `output:out` for one, with the SHA-256 digest `digest` (hexadecimal).
    static func path(type: String, digest: String, name: String) throws(KilnError) -> StorePath {
        let hash = Array(SHA256.hash(data: Array("\(type):sha256:\(digest):\(StorePath.store):\(name)".utf8)))
        return try StorePath("\(StorePath.store)/\(base32(folded(hash, to: 20)))-\(name)")
    }

    /// The SHA-256 digest of a text.
    static func hexadecimal(of text: String) -> String { hexadecimal(of: Array(text.utf8)) }

    static func hexadecimal(of bytes: [UInt8]) -> String {
        let letters = Array("0123456789abcdef".utf8)
        return String(decoding: SHA256.hash(data: bytes).flatMap { [letters[Int($0 >> 4)], letters[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Makes a digest shorter by laying its parts over each other.
    private static func folded(_ bytes: [UInt8], to count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        for (index, byte) in bytes.enumerated() { result[index % count] ^= byte }
        return result
    }

    /// Five bits a digit, from the last byte to the first.
    private static func base32(_ bytes: [UInt8]) -> String {
        let count = (bytes.count * 8 - 1) / 5 + 1
        let text = (0..<count).reversed().map { position -> UInt8 in
            let (index, shift) = (position * 5 / 8, position * 5 % 8)
            let next = index + 1 < bytes.count ? Int(bytes[index + 1]) << (8 - shift) : 0
            return digits[(Int(bytes[index]) >> shift | next) & 31]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
