/// A file or folder that came with the Compose file, as a service sees it.
public struct FileMount: Sendable, Codable, Hashable {
    public enum Source: Sendable, Hashable {
        /// A copy of a file or folder that lay beside the Compose file.
        case copy(FileCopy)
        /// The text of a small file.
        case text(String)
        /// The value of a secret, in memory only.
        case secret(SecretName)
    }

    public var source: Source
    public var path: ContainerPath
    public var readOnly: Bool
    /// Permission bits; nil: those it came with, or 0444. A folder's copy has them already (`FileCopy.access`).
    public var mode: Int?
    /// Ids within the container; nil: root's.
    public var user: Int?
    public var group: Int?
    /// The `configs` or `secrets` entry it was made from.
    public var name: String?

    public init(
        source: Source, path: ContainerPath, readOnly: Bool = false, mode: Int? = nil, user: Int? = nil, group: Int? = nil, name: String? = nil
    ) {
        self.source = source
        self.path = path
        self.readOnly = readOnly
        self.mode = mode
        self.user = user
        self.group = group
        self.name = name
    }
}

extension FileMount.Source: KindCoded {
    public enum Kind: String, Sendable, Codable, CaseIterable { case copy, text, secret }

    public var kind: Kind {
        switch self {
        case .copy: .copy
        case .text: .text
        case .secret: .secret
        }
    }

    public init(_ kind: Kind, from values: KeyedDecodingContainer<TextKey>) throws {
        switch kind {
        case .copy: self = .copy(try values.decode(FileCopy.self, forKey: "copy"))
        case .text: self = .text(try values.decode(String.self, forKey: "text"))
        case .secret: self = .secret(try values.decode(SecretName.self, forKey: "secret"))
        }
    }

    public func encode(into values: inout KeyedEncodingContainer<TextKey>) throws {
        switch self {
        case .copy(let copy): try values.encode(copy, forKey: "copy")
        case .text(let text): try values.encode(text, forKey: "text")
        case .secret(let name): try values.encode(name, forKey: "secret")
        }
    }
}

/// A file or folder that travelled as a tar.
public struct FileCopy: Sendable, Codable, Hashable {
    public enum Kind: String, Sendable, Codable, CaseIterable { case file, folder }

    /// The only member of the tar of a single file.
    public static let memberName = "file"

    /// Where it lay, relative to the project's folder. Two places with equal content are two copies: what one service writes to its own must
    /// not show in the other's.
    public var origin: String
    public var kind: Kind
    /// SHA-256 of the tar.
    public var digest: ContentDigest
    /// Of a folder, what all in it is given; nil: what it came with.
    public var access: Access?

    /// Permission bits of files, and of folders along with the right to enter wherever somebody may read; ids within the container. What is nil
    /// is as it came, and root's.
    public struct Access: Sendable, Codable, Hashable {
        public var mode: Int?
        public var user: Int?
        public var group: Int?

        public init(mode: Int?, user: Int?, group: Int?) {
            self.mode = mode
            self.user = user
            self.group = group
        }
    }

    public init(origin: String, kind: Kind, digest: ContentDigest, access: Access? = nil) {
        self.origin = origin
        self.kind = kind
        self.digest = digest
        self.access = access
    }
}
