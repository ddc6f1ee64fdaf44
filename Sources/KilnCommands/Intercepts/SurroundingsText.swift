internal import KilnAPI
internal import KilnModel

/// What a service runs with, as other programs read it. Pure.
enum SurroundingsText {
    enum Format: String, CaseIterable { case shell, dotenv, json }

    /// The form of `--format json`.
    struct Shown: Encodable {
        var service: Name
        var variables: [String: String]
        var mounts: [ServiceSurroundings.Mount]
        var secrets: [String]

        init(_ surroundings: ServiceSurroundings) {
            service = surroundings.service
            variables = Dictionary(surroundings.variables.map { ($0.key, $0.value) }) { $1 }
            mounts = surroundings.mounts
            secrets = surroundings.secrets
        }
    }

    static func text(_ surroundings: ServiceSurroundings, _ format: Format) -> String {
        var lines = surroundings.variables.map { variable in
            switch format {
            // A shell has no variable of such a name, and would take the line for a command.
            case .shell where !isShellName(variable.key): "# \(variable.key.printable(limit: 256)) is no name for a shell's variable"
            case .shell: "export \(variable.key)=\(shellQuoted(variable.value))"
            case .dotenv, .json: "\(variable.key)=\(dotenvQuoted(variable.value))"
            }
        }
        lines += surroundings.mounts.map { mount in
            "# mount: \(mount.volume.printable()) at \(mount.path.printable())\(mount.readOnly ? ", read-only" : "")"
        }
        lines += surroundings.secrets.map { "# secret: \($0.printable())" }
        return lines.map { $0 + "\n" }.joined()
    }

    /// In single quotes nothing but the quote itself means anything (POSIX.1, Shell Command Language, 2.2.2).
    static func shellQuoted(_ value: String) -> String {
        "'" + value.unicodeScalars.map { $0 == "'" ? #"'\''"# : String($0) }.joined() + "'"
    }

    /// In double quotes, with the escapes that readers of such files agree on.
    static func dotenvQuoted(_ value: String) -> String {
        let plain = value.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "_-./:@%+,=".utf8.contains(byte)
        }
        if plain, !value.isEmpty { return value }
        let escaped = value.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": #"\\"#
            case "\"": #"\""#
            case "$": #"\$"#
            case "\n": #"\n"#
            case "\r": #"\r"#
            default: String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }

    private static func isShellName(_ key: String) -> Bool {
        guard let first = key.utf8.first, !(48...57).contains(first) else { return false }
        return key.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
        }
    }
}
