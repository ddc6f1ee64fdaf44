import Glibc
import KilnModel
import LinuxNetwork

extension LinuxEngine {
    /// Sets what a service asks of its network namespace. Only its owner may, and that is the host, not the container.
    func setNetworkSettings(of service: Service, in namespace: NetworkNamespace) async throws {
        let settings = service.settings.kernelSettings.filter(\.isNetwork)
        guard !settings.isEmpty else { return }
        try await namespace.perform {
            for setting in settings { try setting.write() }
        }
    }
}

extension KernelSetting {
    /// Writes it into the calling thread's namespace: `/proc/sys/net` shows that of the thread that opens it.
    fileprivate func write() throws {
        let path = "/proc/sys/" + key.split(separator: ".").joined(separator: "/")
        let file = Descriptor(owning: open(path, O_WRONLY | O_CLOEXEC))
        let count = file.number < 0 ? -1 : value.utf8CString.withUnsafeBytes { Glibc.write(file.number, $0.baseAddress, value.utf8.count) }
        guard count == value.utf8.count else {
            throw KilnError(
                .serviceFailed, "The kernel does not take \(self): \(String(cString: strerror(errno))).",
                hint: "Correct it under “sysctls”, or remove it.")
        }
    }
}
