import Glibc
import KilnModel

/// A home mounted over itself with nosuid and nodev, so that every container that binds it inherits both flags.
///
/// Flags on the container's own mount are not enough: crun 1.8 drops them inside a user namespace (seen in the container's mountinfo).
enum HomeMount {
    /// Mounts `home` unless it is mounted already.
    static func ensure(_ home: String) throws(KilnError) {
        if let flags = flags(of: home) {
            if flags.isSuperset(of: ["nosuid", "nodev"]) { return }
        } else if mount(home, home, nil, UInt(MS_BIND), nil) != 0 {
            throw TrustedFiles.failure("mount \(home)")
        }
        guard mount(nil, home, nil, UInt(MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV), nil) == 0 else {
            throw TrustedFiles.failure("mount \(home) with nosuid and nodev")
        }
    }

    /// Unmounts `home` as often as it is mounted.
    static func remove(_ home: String) throws(KilnError) {
        while flags(of: home) != nil {
            guard umount2(home, CInt(MNT_DETACH)) == 0 else { throw TrustedFiles.failure("unmount \(home)") }
        }
    }

    /// The options of the topmost mount at `path`; nil when nothing is mounted there. Fields as in proc_pid_mountinfo(5).
    private static func flags(of path: String) -> Set<String>? {
        let lines = TrustedFiles.readText("/proc/self/mountinfo")?.split(separator: "\n") ?? []
        return lines.last { $0.split(separator: " ").dropFirst(4).first.map(String.init) == path }
            .map { Set($0.split(separator: " ")[5].split(separator: ",").map(String.init)) }
    }
}
