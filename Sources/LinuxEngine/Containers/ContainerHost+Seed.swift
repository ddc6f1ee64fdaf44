import CLinux
import CommandRunner
import FileWork
import Glibc
import KilnModel

extension ContainerHost {
    /// Copies what a container that was not started yet has at a place, as its image left it, into an empty folder: owners, modes and all.
    ///
    /// The image's author decides what lies there. So the place is looked up as the container would, a link's target never on the host; and who
    /// copies is root of the container's ids only, follows no link, and makes no device.
    /// - Returns: whether there is a folder at all.
    @discardableResult
    func copyFolder(_ path: ContainerPath, of container: String, to folder: String, _ range: ContainerSpec.UserRange) async throws -> Bool {
        try await asKilnError("read the image of \(container)") {
            let root = try await client.mountContainer(container)
            let outcome: Result<Bool, any Error>
            do {
                outcome = .success(try await copyFolder(path, below: root, to: folder, range))
            } catch {
                outcome = .failure(error)
            }
            try await client.unmountContainer(container)
            return try outcome.get()
        }
    }

    private func copyFolder(_ path: ContainerPath, below root: String, to folder: String, _ range: ContainerSpec.UserRange) async throws -> Bool {
        let base = Descriptor(owning: open(root, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW))
        guard base.number >= 0 else { throw TrustedFiles.failure("open \(root)") }
        let resolve = UInt64(LINUX_RESOLVE_IN_ROOT | LINUX_RESOLVE_NO_MAGICLINKS)
        let source = Descriptor(owning: linux_openat2(base.number, path.value, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, resolve))
        guard source.number >= 0 else {
            guard [ENOENT, ENOTDIR, ELOOP].contains(errno) else { throw TrustedFiles.failure("open \(path.value.printable(limit: 80)) of an image") }
            return false
        }
        // Both folders by descriptors that the copier inherits: it could walk to neither.
        let script = #"exec 3<"$1" 4<"$2" && shift 2 && exec "$@""#
        let copy = ["/usr/bin/cp", "-a", "--reflink=auto", "--remove-destination", "/proc/self/fd/3/.", "/proc/self/fd/4/"]
        try await UserNamespace.with(range) { namespace in
            _ = try await SystemCommandRunner().succeed(
                Command(
                    "/bin/sh", ["-c", script, "sh", "/proc/\(getpid())/fd/\(source.number)", folder] + namespace.command(copy),
                    timeout: .seconds(3600)))
        }
        return true
    }
}
