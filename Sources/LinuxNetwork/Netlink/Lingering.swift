import Glibc
import Synchronization

/// Keeps what holds a netfilter socket for a moment after its use, and lets go of it on a thread of its own.
///
/// Closing such a socket waits until the kernel has let go of everything that was just deleted from nftables in its namespace, ten to twenty
/// milliseconds, and holds up whoever changes something there meanwhile (`nft_rcv_nl_event` in net/netfilter/nf_tables_api.c). The
/// deletion took effect long before. A tenth of a second later there is nothing left to wait for.
enum Lingering {
    private struct State {
        var held: [(object: any AnyObject & Sendable, until: ContinuousClock.Instant)] = []
        var isEmptying = false
    }

    private static let state = Mutex(State())
    private static let patience = Duration.milliseconds(100)

    /// Takes a reference to `object` and gives it back in a while.
    static func release(_ object: any AnyObject & Sendable) {
        let mustStart = state.withLock { state in
            state.held.append((object, ContinuousClock.now + patience))
            defer { state.isEmptying = true }
            return !state.isEmptying
        }
        guard mustStart else { return }
        do {
            try DedicatedThread.start { empty() }
        } catch {
            // Without a thread they wait for the next that can be had.
            state.withLock { $0.isEmptying = false }
        }
    }

    private static func empty() {
        while let wait = state.withLock({ state -> Duration? in
            if state.held.isEmpty { state.isEmptying = false }
            return state.held.first.map { $0.until - .now }
        }) {
            // The kernel tells nobody when it has let go.
            if wait > .zero { usleep(useconds_t(wait / .microseconds(1))) }
            // Their last references go outside the lock.
            let released = state.withLock { state in
                let due = state.held.prefix { $0.until <= .now }
                state.held.removeFirst(due.count)
                return due.map(\.object)
            }
            withExtendedLifetime(released) {}
        }
    }
}
