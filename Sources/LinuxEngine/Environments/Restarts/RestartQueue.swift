import Synchronization

/// The containers that may have to be started again: each is attended to by one at a time.
final class RestartQueue: Sendable {
    /// Names of containers. One reader.
    let names: AsyncStream<String>
    private let added: AsyncStream<String>.Continuation
    /// Those being attended to → whether they were added again meanwhile.
    private let attended = Mutex<[String: Bool]>([:])

    init() { (names, added) = AsyncStream.makeStream() }

    func add(_ name: String) {
        let isNew = attended.withLock { attended in
            defer { attended[name] = attended[name] != nil }
            return attended[name] == nil
        }
        if isNew { added.yield(name) }
    }

    /// - Returns: whether the container has to be attended to once more.
    func isDone(_ name: String) -> Bool {
        attended.withLock { attended in
            let again = attended[name] == true
            attended[name] = again ? false : nil
            return !again
        }
    }
}
