import KilnModel
import Testing

@Suite struct LogPositionTests {
    private func line(_ time: Double, _ text: String) -> LogLine { LogLine(time: Timestamp(seconds: time), channel: .output, text: text) }

    @Test func `a log that is read again from its last time on gives new lines only, also such of the same time`() {
        var position = LogPosition()
        #expect(position.time == nil)
        let log = [line(1, "a"), line(2, "b"), line(2, "c"), line(2, "d"), line(3, "e")]
        let first = log[..<3].filter { position.take($0) }
        #expect(first.count == 3)
        #expect(position.time == 2)
        position.rewind()
        let second = log[1...].filter { position.take($0) }
        #expect(second.map(\.text) == ["d", "e"])
        position.rewind()
        let third = log[4...].filter { position.take($0) }
        #expect(third.isEmpty)
        let isNew = position.take(line(3, "f"))
        #expect(isNew)
    }

    @Test func `a line that has gone on since comes once more`() {
        var position = LogPosition()
        let taken = [line(1, "a"), line(2, "Name: ")].filter { position.take($0) }
        #expect(taken.count == 2)
        position.rewind()
        let more = [line(2, "Name: ben"), line(3, "c")].filter { position.take($0) }
        #expect(more.map(\.text) == ["Name: ben", "c"])
    }

    @Test func `of every log read in two parts each line is taken once`() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            var time = 0.0
            let log = (0..<Int.random(in: 0...12, using: &generator)).map { index in
                time += Double(Int.random(in: 0...1, using: &generator))
                return line(time, "\(index)")
            }
            var position = LogPosition()
            let cut = Int.random(in: 0...log.count, using: &generator)
            var taken = log[..<cut].filter { position.take($0) }
            position.rewind()
            let since = position.time ?? 0
            taken += log.filter { $0.time >= since }.filter { position.take($0) }
            #expect(taken == log)
        }
    }

    @Test func `a clock that goes back loses nothing of what is read for the first time`() {
        var position = LogPosition()
        let taken = [line(5, "a"), line(4, "b"), line(4, "c")].filter { position.take($0) }
        #expect(taken.count == 3)
    }
}
