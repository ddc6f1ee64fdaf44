import Crypto
import FoundationEssentials
import KilnModel

/// Signatures of an index, as Nix writes those of store paths: lines of `KEYNAME:BASE64`, each by Ed25519 over the bytes of the index.
///
/// Without them whoever can write to a cache could give a new name to an old path that was signed once.
enum IndexSignature {
    /// - Throws: `untrusted-signature` when no key has signed the index.
    static func verify(_ index: UnsafeRawBufferPointer, signatures: String, keys: [SigningKey], of address: FileAddress) throws(KilnError) {
        let named = signatures.split(whereSeparator: \.isNewline).compactMap(Self.parse)
        for key in keys {
            for signature in named where signature.key == key.name {
                guard let publicKey = try? Curve25519.Signing.PublicKey(rawRepresentation: key.bytes) else { continue }
                if publicKey.isValidSignature(signature.bytes, for: index) { return }
            }
        }
        let signers = named.map(\.key).joined(separator: ", ").printable()
        throw KilnError(
            .untrustedSignature,
            "The index \(address) is not signed by a key this host trusts\(signers.isEmpty ? "" : ": what it carries is by \(signers)").",
            hint: "Whoever runs the host names the cache's public key in its packages.json.")
    }

    /// The line that `secretKey`, `KEYNAME:BASE64` as `nix-store --generate-binary-cache-key` writes it, signs an index with.
    /// - Throws: `invalid-value` when the key is none.
    static func sign(_ index: some DataProtocol, secretKey: String) throws(KilnError) -> String {
        // 64 bytes: the seed, and the public key again (libsodium, crypto_sign).
        guard let key = parse(secretKey.drop(while: \.isWhitespace)), key.bytes.count == 64,
            let signer = try? Curve25519.Signing.PrivateKey(rawRepresentation: key.bytes.prefix(32)),
            let signature = try? signer.signature(for: index)
        else {
            throw KilnError(.invalidValue, "This is not a secret key of a binary cache.", hint: "nix-store --generate-binary-cache-key makes one.")
        }
        return "\(key.key):\(signature.base64EncodedString())\n"
    }

    private static func parse(_ line: Substring) -> (key: String, bytes: Data)? {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let text = String(parts[1].prefix { !$0.isWhitespace })
        return Data(base64Encoded: text).map { (String(parts[0]), $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// SHA-256 in hex.
    var digest: String { SHA256.hash(data: self).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
}
