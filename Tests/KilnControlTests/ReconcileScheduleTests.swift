import KilnModel
import Testing
import WorkspaceEngine

@testable import KilnControl

@Suite struct ReconcileScheduleTests {
    private let a = ResourceReference(kind: .workspace, id: ResourceID.random())
    private let b = ResourceReference(kind: .workspace, id: ResourceID.random())

    @Test func `one runs once however often it is asked for, and again when asked for meanwhile`() {
        var schedule = ReconcileSchedule(limit: 8)
        for _ in 0..<5 { schedule.request(a, .changed) }
        #expect(schedule.start()?.key == a)
        #expect(schedule.start() == nil)
        schedule.request(a, .observed)
        schedule.request(a, .changed)
        #expect(schedule.start() == nil)
        #expect(schedule.finish(a, .done, jitter: 0) == nil)
        #expect(schedule.start()?.key == a)
        #expect(schedule.finish(a, .done, jitter: 0) == nil)
        #expect(schedule.start() == nil)
    }

    @Test func `no more run at once than allowed`() {
        var schedule = ReconcileSchedule(limit: 1)
        schedule.request(a, .changed)
        schedule.request(b, .changed)
        #expect(schedule.start()?.key == a)
        #expect(schedule.start() == nil)
        _ = schedule.finish(a, .done, jitter: 0)
        #expect(schedule.start()?.key == b)
    }

    @Test func `failures are repeated after a delay that grows to 30 seconds`() {
        var schedule = ReconcileSchedule(limit: 1)
        schedule.request(a, .changed)
        var delays: [Double] = []
        for failures in 0..<12 {
            let started = schedule.start()
            #expect(started?.failures == failures)
            let wake = schedule.finish(a, .retry, jitter: 1)
            delays.append(wake?.delay ?? 0)
            schedule.wake(a, ticket: wake?.ticket ?? 0)
        }
        #expect(Array(delays.prefix(4)) == [0.25, 0.5, 1, 2])
        #expect(delays.allSatisfy { $0 <= 30 })
        #expect(delays.last == 30)
    }

    @Test func `jitter takes up to half of the delay`() {
        var schedule = ReconcileSchedule(limit: 1)
        schedule.request(a, .changed)
        _ = schedule.start()
        #expect(schedule.finish(a, .retry, jitter: 0)?.delay == 0.125)
    }

    @Test func `while a failure waits, an observation does not hurry it and a change does`() {
        var schedule = ReconcileSchedule(limit: 1)
        schedule.request(a, .changed)
        _ = schedule.start()
        let wake = schedule.finish(a, .retry, jitter: 1)
        schedule.request(a, .observed)
        #expect(schedule.start() == nil)
        schedule.request(a, .changed)
        let started = schedule.start()
        #expect(started?.key == a)
        #expect(started?.failures == 0)
        // The delay that was overtaken starts nothing.
        _ = schedule.finish(a, .done, jitter: 1)
        schedule.wake(a, ticket: wake?.ticket ?? 0)
        #expect(schedule.start() == nil)
    }

    @Test func `an observation during a failing run waits its turn`() {
        var schedule = ReconcileSchedule(limit: 1)
        schedule.request(a, .changed)
        _ = schedule.start()
        schedule.request(a, .observed)
        #expect(schedule.finish(a, .retry, jitter: 1) != nil)
        #expect(schedule.start() == nil)
    }

    @Test func `a look after a while is overtaken by an observation`() {
        var schedule = ReconcileSchedule(limit: 1)
        schedule.request(a, .changed)
        _ = schedule.start()
        #expect(schedule.finish(a, .again(after: 10), jitter: 1)?.delay == 10)
        schedule.request(a, .observed)
        #expect(schedule.start()?.key == a)
    }
}
