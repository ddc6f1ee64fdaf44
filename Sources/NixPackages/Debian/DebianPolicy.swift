/// What is known of Debian's packages beyond what they say of themselves.
enum DebianPolicy {
    /// Dependencies that a program in a workspace can do without: they configure a system, or every image has them.
    static func isLeftOut(_ name: String) -> Bool {
        leftOut.contains(name) || isBase(name)
    }

    private static let leftOut: Set<String> = [
        "adduser", "base-files", "base-passwd", "bash", "coreutils", "debconf", "debconf-2.0", "debianutils", "default-dbus-session-bus",
        "default-logind", "dbus-session-bus", "dconf-gsettings-backend", "dpkg", "gawk", "grep", "init-system-helpers", "install-info", "login",
        "logind", "lsb-base", "mawk", "media-types", "mime-support", "mount", "original-awk", "passwd", "perl-openssl-defaults", "procps", "sed",
        "sensible-utils", "systemd", "systemd-sysusers", "systemd-tmpfiles", "sysvinit-utils", "tar", "tzdata", "ucf", "util-linux",
    ]

    /// gcc-14-base and its like hold documents alone.
    private static func isBase(_ name: String) -> Bool {
        let parts = name.split(separator: "-")
        return parts.count == 3 && parts[2] == "base" && ["gcc", "cpp", "g++"].contains(parts[0]) && parts[1].allSatisfy(\.isNumber)
    }

    /// Dependencies of a package that are not followed, beside those left out everywhere: what they do is done in the build.
    static func isLeftOut(_ dependency: String, of package: String) -> Bool {
        switch package {
        // One file of all certificates needs no hashed links.
        case "ca-certificates": dependency == "openssl"
        // Its keystore is made with the Java that is there.
        case "ca-certificates-java": dependency.hasPrefix("default-jre") || dependency.hasPrefix("java") || dependency.hasPrefix("openjdk")
        default: false
        }
    }

    /// What a package is of little use without, although it does not depend on it.
    static func companions(of package: String) -> [String] {
        switch package {
        // An image may have neither a locale of UTF-8 nor a shell for scripts.
        case "libc6": ["libc-bin", "dash"]
        case "libssl3t64", "libssl3", "libgnutls30t64", "libgnutls30": ["ca-certificates"]
        // Wheels of PyPI expect the C++ library to be there.
        case "python3": ["python3-venv", "libstdc++6"]
        case let name where isNumbered(name, after: ["gcc-", "clang-", "tcc-"]): ["libc6-dev"]
        default: []
        }
    }

    private static func isNumbered(_ name: String, after prefixes: [String]) -> Bool {
        prefixes.contains { name.hasPrefix($0) && !name.dropFirst($0.count).isEmpty && name.dropFirst($0.count).allSatisfy(\.isNumber) }
    }

    /// Why packages of a section cannot be of use in a workspace's list; nil: they may be.
    static func refusal(section: String) -> String? {
        switch section.split(separator: "/").last ?? "" {
        case "kernel": "it is for the kernel of a host"
        case "doc": "it holds documents alone"
        case "fonts": "it holds fonts alone"
        case "debug": "it holds debugging symbols alone"
        case "libdevel": "it holds headers for a compiler that looks into /usr/include; install it in the image"
        case "localization": "it holds translations alone"
        case "introspection": "it holds descriptions of libraries alone"
        default: nil
        }
    }
}
