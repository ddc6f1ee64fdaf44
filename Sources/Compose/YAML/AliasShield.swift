/// Hides aliases from the YAML library, which would put the aliased value in their place without bound and forget where they stood.
///
/// The `*` of everything that could be an alias becomes a private-use character. The library then sees a plain scalar where an alias stood, and
/// line and column stay as they are; `YAMLConverter` resolves those scalars itself and turns the character back into `*` everywhere else.
struct AliasShield {
    /// U+E000, of the private use area.
    static let mark: Unicode.Scalar = "\u{E000}"

    static func cover(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var covered = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            let opensName = scalar == "*" && index + 1 < scalars.count && isNameCharacter(scalars[index + 1])
            covered.append(opensName ? mark : scalar)
        }
        return String(covered)
    }

    static func uncover(_ text: String) -> String {
        guard text.unicodeScalars.contains(mark) else { return text }
        var plain = String.UnicodeScalarView()
        plain.append(contentsOf: text.unicodeScalars.map { $0 == mark ? "*" : $0 })
        return String(plain)
    }

    /// What libyaml takes for a character of an anchor's name.
    static func isNameCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
    }
}
