internal import KilnModel

/// A type whose JSON is a text of a form of its own.
protocol DescribedText: Decodable {
    static var form: TextForm { get }
}

/// The form of a text, for schemas.
struct TextForm {
    var example: String
    var meaning: String
    /// ECMA-262.
    var pattern: String?
    /// As JSON Schema calls it.
    var format: String?

    /// For a type that has no description of its own: the first of a few usual texts that it takes.
    static func usual(_ accepts: (String) -> Bool) -> TextForm? {
        ["a", "1", "/a", "a@1", "127.0.0.1", "https://example.org/a", "CHOWN", "a=b", String(repeating: "0", count: 64)].first(where: accepts)
            .map { TextForm(example: $0, meaning: "") }
    }
}

extension Name: DescribedText {
    static let form = TextForm(
        example: "hello", meaning: "An RFC 1123 label.", pattern: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
}

extension ResourceID: DescribedText {
    static let form = TextForm(
        example: "0123456789", meaning: "Ten characters, never used again.", pattern: "^[0-9abcdefghjkmnpqrstvwxyz]{10}$")
}

extension IPv4Address: DescribedText {
    static let form = TextForm(example: "198.18.0.1", meaning: "An IPv4 address.", pattern: #"^[0-9]{1,3}(\.[0-9]{1,3}){3}$"#)
}

extension EnvironmentVariable: DescribedText {
    static let form = TextForm(example: "KEY=VALUE", meaning: "A variable: KEY=VALUE.", pattern: "^[A-Za-z_][A-Za-z0-9_.-]*=")
}

extension SecretBytes: DescribedText {
    static let form = TextForm(example: "c2VjcmV0", meaning: "The value of a secret, in base64.", pattern: "^[A-Za-z0-9+/]*={0,2}$")
}

extension KernelSetting: DescribedText {
    static let form = TextForm(example: "net.core.somaxconn=1024", meaning: "A kernel setting: KEY=VALUE.", pattern: "^[A-Za-z0-9._-]+=")
}

extension ContentDigest: DescribedText {
    static let form = TextForm(example: String(repeating: "0", count: 64), meaning: "A SHA-256 in hex.", pattern: "^[0-9a-f]{64}$")
}

extension ImageReference: DescribedText {
    static let form = TextForm(example: "postgres:16", meaning: "[registry/]path[:tag][@sha256:digest]", pattern: "^[A-Za-z0-9][A-Za-z0-9._/:@-]*$")
}

extension RepositoryURL: DescribedText {
    static let form = TextForm(example: "https://example.org/team/repo.git", meaning: "A git repository to clone.", pattern: nil)
}

extension ContainerPath: DescribedText {
    static let form = TextForm(example: "/etc/app.conf", meaning: "An absolute path in a container.", pattern: "^/")
}

extension Timestamp: DescribedText {
    static let form = TextForm(
        example: "2026-02-03T10:00:00.123456Z", meaning: "RFC 3339; answers are in UTC, to the microsecond.",
        pattern: #"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"#, format: "date-time")
}

extension Service.RestartPolicy: DescribedText {
    static let form = TextForm(
        example: "on-failure:3", meaning: "As a Compose file writes it.", pattern: "^(no|always|unless-stopped|on-failure(:[0-9]+)?)$")
}

extension StorePath: DescribedText {
    static let form = TextForm(
        example: "/nix/store/\(String(repeating: "0", count: 32))-jq-1.7", meaning: "A path of the Nix store.",
        pattern: "^/nix/store/[0-9abcdfghijklmnpqrsvwxyz]{32}-")
}
