import FoundationEssentials
import KilnModel
import Testing

@testable import LinuxEngine

@Suite struct RestartTests {
    private func run(_ start: Double, _ end: Double, exit: Int = 1) -> RestartRecord.Run {
        .init(startedAt: start, finishedAt: end, exitStatus: exit)
    }

    @Test func `each start in vain waits twice as long, half a minute at most`() {
        var record = RestartRecord(policy: .always)
        var delays: [Double] = []
        var time = 100.0
        for _ in 0..<12 {
            let run = run(time, time + 1)
            let next = record.nextStart(after: run) ?? 0
            delays.append(((next - run.finishedAt) * 10).rounded() / 10)
            record = record.attempted(after: run, now: next)
            time = next
        }
        #expect(delays == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30])
        #expect(record.restarts == 12)
        #expect(record.ends(after: run(time, time + 1)) == 13)
    }

    @Test func `a run of ten seconds begins the count anew`() {
        var record = RestartRecord(policy: .always)
        for _ in 0..<7 { record = record.attempted(after: run(0, 1), now: 1) }
        #expect(record.nextStart(after: run(10, 19.9)) == 19.9 + 12.8)
        #expect(record.nextStart(after: run(10, 20)) == 20.1)
        #expect(record.ends(after: run(10, 20)) == 1)
        record = record.attempted(after: run(10, 20), now: 20.1)
        #expect(record.attempts == 1)
        #expect(record.restarts == 8)
    }

    @Test func `policies decide, and a try that did not even start waits from when it was made`() {
        #expect(RestartRecord(policy: .no).nextStart(after: run(0, 1)) == nil)
        #expect(RestartRecord(policy: .always).nextStart(after: run(0, 1, exit: 0)) != nil)
        #expect(RestartRecord(policy: .unlessStopped).nextStart(after: run(0, 1, exit: 0)) != nil)
        #expect(RestartRecord(policy: .onFailure(maximumRetries: nil)).nextStart(after: run(0, 1, exit: 0)) == nil)
        var limited = RestartRecord(policy: .onFailure(maximumRetries: 1))
        #expect(limited.nextStart(after: run(0, 1)) == 1.1)
        limited = limited.attempted(after: run(0, 1), now: 50)
        #expect(limited.nextStart(after: run(0, 1)) == nil)
        limited.policy = .onFailure(maximumRetries: 2)
        #expect(limited.nextStart(after: run(0, 1)) == 50.2)
    }

    @Test func `a record is read back as it was written`() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/kiln-restarts-\(ResourceID.random())"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: "\(directory)/c", withIntermediateDirectories: true)
        let records = RestartRecords(directory: directory)
        #expect(try records.record(of: "c") == nil)
        let record = RestartRecord(policy: .onFailure(maximumRetries: 3)).attempted(after: run(0, 1), now: 2.25)
        try records.set(record, of: "c")
        #expect(try records.record(of: "c") == record)
    }

    @Test func `a container is attended to by one at a time, and again when it ended meanwhile`() async {
        let queue = RestartQueue()
        queue.add("a")
        queue.add("a")
        var names = queue.names.makeAsyncIterator()
        #expect(await names.next() == "a")
        #expect(!queue.isDone("a"))
        #expect(queue.isDone("a"))
        queue.add("a")
        #expect(await names.next() == "a")
    }
}
