import Dispatch

/// Waiting for descriptors without holding a thread.
enum Readiness {
    private static let queue = DispatchQueue(label: "kiln.readiness")

    /// - Returns: false when `timeout` passed first.
    /// - Throws: `CancellationError`.
    @discardableResult
    static func readable(_ descriptor: Int32, timeout: Duration? = nil) async throws -> Bool {
        try Task.checkCancellation()
        return try await wait(DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue), timeout: timeout)
    }

    static func writable(_ descriptor: Int32) async throws {
        try Task.checkCancellation()
        try await wait(DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue), timeout: nil)
    }

    /// Once made, a source has to be activated, whatever happens: letting go of an inactive one ends the process.
    @discardableResult
    private static func wait(_ source: any DispatchSourceProtocol, timeout: Duration?) async throws -> Bool {
        let wait = Wait(source: source)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in wait.begin(continuation, timeout: timeout, on: queue) }
        } onCancel: {
            wait.source.cancel()
        }
        try Task.checkCancellation()
        return wait.isReady
    }

    /// One wait: the source is cancelled by the event, the time limit or the task, and its cancel handler, which runs once the descriptor is no
    /// longer watched, resumes the task.
    private final class Wait: @unchecked Sendable {
        let source: any DispatchSourceProtocol
        /// Written on the queue before the continuation resumes, read after.
        private(set) var isReady = false

        init(source: any DispatchSourceProtocol) { self.source = source }

        func begin(_ continuation: CheckedContinuation<Void, Never>, timeout: Duration?, on queue: DispatchQueue) {
            let limit = timeout.map { _ in DispatchWorkItem { [source] in source.cancel() } }
            source.setEventHandler { [self] in
                isReady = true
                source.cancel()
            }
            source.setCancelHandler {
                limit?.cancel()
                continuation.resume()
            }
            source.activate()
            if let limit, let timeout {
                let nanoseconds = timeout.components.seconds * 1_000_000_000 + timeout.components.attoseconds / 1_000_000_000
                queue.asyncAfter(deadline: .now() + .nanoseconds(Int(nanoseconds)), execute: limit)
            }
        }
    }
}
