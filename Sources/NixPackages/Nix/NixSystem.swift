import Glibc

/// What Nix calls the kind of machine and kernel that a package is for.
enum NixSystem {
    /// Of this host: `x86_64-linux`.
    static let current: String = {
        var names = utsname()
        uname(&names)
        let machine = withUnsafeBytes(of: &names.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return "\(machine)-linux"
    }()
}
