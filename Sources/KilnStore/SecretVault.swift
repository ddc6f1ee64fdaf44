internal import Crypto
internal import FoundationEssentials
internal import Glibc
internal import KilnModel

/// Seals the values of secrets (AES-256-GCM) with a key in a file of its own, beside the database: who has only one of the two has nothing.
struct SecretVault: Sendable {
    private static let keySize = 32

    private let path: String
    private let key: SymmetricKey?

    /// Reads the key.
    /// - Parameters:
    ///   - path: of its file.
    ///   - makesKey: whether one is made (mode 0600) where there is none. Not when something was sealed with one that is gone.
    init(path: String, makesKey: Bool) throws(KilnError) {
        self.path = path
        if makesKey { try Self.makeKey(at: path) }
        guard access(path, F_OK) == 0 else {
            key = nil
            return
        }
        guard let data = try? Data(contentsOf: URL(filePath: path)), data.count == Self.keySize else {
            throw KilnError(.internalError, "The key of the secrets, \(path), cannot be read or is none.", hint: "Restore it from a backup.")
        }
        key = SymmetricKey(data: data)
    }

    /// - Parameter place: to what the value belongs; it opens there only.
    func seal(_ value: SecretBytes, for place: String) throws -> Data { try seal(Data(value.bytes), for: place) }

    func openSecret(_ sealed: Data, for place: String) throws -> SecretBytes { try SecretBytes([UInt8](open(sealed, for: place))) }

    /// - Parameter place: as above.
    func seal(_ data: Data, for place: String) throws -> Data {
        try AES.GCM.seal(data, using: usableKey(), authenticating: Data(place.utf8)).combined ?? Data()
    }

    func open(_ sealed: Data, for place: String) throws -> Data {
        do {
            return try AES.GCM.open(AES.GCM.SealedBox(combined: sealed), using: usableKey(), authenticating: Data(place.utf8))
        } catch is CryptoKitError {
            throw KilnError(
                .internalError, "A secret cannot be opened: the key \(path) is not the one that it was sealed with.",
                hint: "Restore the key from a backup, or set the secret again.")
        }
    }

    private func usableKey() throws(KilnError) -> SymmetricKey {
        guard let key else {
            throw KilnError(
                .internalError, "The key of the secrets, \(path), is gone.", hint: "Restore it from a backup and start kilnd again.")
        }
        return key
    }

    private static func makeKey(at path: String) throws(KilnError) {
        guard access(path, F_OK) != 0 else { return }
        // Whole under another name first: a power cut must not leave half a key. Of two that begin at once, one wins.
        let temporary = "\(path).\(ResourceID.random())"
        defer { unlink(temporary) }
        try StoreFile.prepare(at: temporary)
        let descriptor = Glibc.open(temporary, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        guard bytes.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == keySize, fsync(descriptor) == 0 else { throw failure(path) }
        guard link(temporary, path) == 0 || errno == EEXIST else { throw failure(path) }
    }

    private static func failure(_ path: String) -> KilnError {
        KilnError(.internalError, "The key of the secrets, \(path), cannot be made: \(String(cString: strerror(errno))).")
    }
}
