public import FoundationEssentials
public import KilnModel

/// The public half of a key that signs store paths, as Nix writes it: `NAME:BASE64` of an Ed25519 key.
public struct SigningKey: ValidatedText {
    public let value: String
    /// Which key a signature is by.
    public let name: String
    /// The key itself: 32 bytes.
    public let bytes: Data

    public init(_ text: String) throws(KilnError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.allSatisfy({ $0.isLetterOrDigit || "._-".utf8.contains($0) }),
            let bytes = Data(base64Encoded: String(parts[1])), bytes.count == 32
        else {
            throw KilnError(
                .invalidValue, "“\(text.printable(limit: 80))” is not the public key of a binary cache.",
                hint: "Write it as nix-store --generate-binary-cache-key did: cache.example.com-1:….")
        }
        value = text
        name = String(parts[0])
        self.bytes = bytes
    }
}
