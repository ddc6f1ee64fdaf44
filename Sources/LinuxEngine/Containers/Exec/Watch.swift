import CTerminal
import FileWork
import KilnModel

/// Waits for the first of several descriptors to be readable or ended.
final class Watch {
    private let epoll: Descriptor

    init(_ descriptors: [Int32]) throws {
        let number = kiln_epoll_create()
        guard number >= 0 else { throw TrustedFiles.failure("open an epoll instance", code: -number) }
        epoll = Descriptor(owning: number)
        for descriptor in descriptors {
            let code = kiln_epoll_add(number, descriptor)
            guard code >= 0 else { throw TrustedFiles.failure("watch a descriptor", code: -code) }
        }
    }

    func remove(_ descriptor: Int32) { _ = kiln_epoll_remove(epoll.number, descriptor) }

    /// The descriptors that are ready; empty when `timeout` passed first.
    /// - Throws: `CancellationError`.
    func next(timeout: Duration? = nil) async throws -> Set<Int32> {
        while true {
            let ready = readyNow()
            if !ready.isEmpty { return ready }
            guard try await Readiness.readable(epoll.number, timeout: timeout) else { return [] }
        }
    }

    private func readyNow() -> Set<Int32> {
        var numbers = [Int32](repeating: -1, count: 8)
        let count = kiln_epoll_ready(epoll.number, &numbers, 8)
        return count > 0 ? Set(numbers.prefix(Int(count))) : []
    }
}
