import Glibc
import KilnModel

/// Runs blocking work on a thread of its own, which ends with it.
///
/// A thread that entered a network namespace must never go back to Swift's pool: another task would open its sockets there.
enum DedicatedThread {
    private final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// - Throws: what `body` throws; failed system calls as `KilnError`.
    static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try start {
                    let result = Result { () throws -> T in
                        do { return try body() } catch let error as SystemCallError { throw error.kilnError }
                    }
                    continuation.resume(with: result)
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Starts `body` and does not wait for it.
    static func start(_ body: @escaping @Sendable () -> Void) throws(KilnError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let pointer = Unmanaged.passRetained(Job(body))
        let code = pthread_create(&thread, &attributes, Self.main, pointer.toOpaque())
        pthread_attr_destroy(&attributes)
        guard code == 0 else {
            pointer.release()
            throw SystemCallError(number: code, action: "start a thread").kilnError
        }
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
        if let pointer { Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue().body() }
        return nil
    }
}
