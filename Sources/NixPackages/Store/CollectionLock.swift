import FileWork
import Glibc
import KilnModel

/// The lock that Nix holds while it collects garbage (`src/libstore/gc.cc`, `LocalStore::collectGarbage`).
///
/// While it is shared here no collection begins. So a root made meanwhile, for a path that another root keeps, is sure to be seen by the next
/// one, and no program needs to run to be told so.
struct CollectionLock: ~Copyable {
    private let descriptor: CInt

    /// nil while a collection runs.
    init?(stateDirectory: String = "/nix/var/nix") throws(KilnError) {
        let file = open("\(stateDirectory)/gc.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw TrustedFiles.failure("open the lock of the Nix store") }
        guard flock(file, LOCK_SH | LOCK_NB) == 0 else {
            close(file)
            return nil
        }
        descriptor = file
    }

    deinit { close(descriptor) }
}
