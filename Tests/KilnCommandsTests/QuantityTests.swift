import KilnModel
import Testing

@testable import KilnCommands

@Suite("Amounts as people write them") struct QuantityTests {
    @Test("sizes", arguments: [("4G", 4 << 30), ("512M", 512 << 20), ("1.5GiB", 3 << 29), ("1073741824", 1 << 30), ("64k", 65536), ("2tb", 2 << 40)])
    func sizes(text: String, bytes: Int) throws {
        #expect(try Quantity.bytes(text) == bytes)
    }

    @Test("what is no size is refused", arguments: ["", "G", "4X", "-1G", "1.2345G", "0", "9999999999T", "1e9", "４G", "1..5G", "4 G"])
    func wrongSizes(text: String) {
        #expect(throws: KilnError.self) { try Quantity.bytes(text) }
    }

    @Test("CPUs", arguments: [("2", 2000), ("1.5", 1500), ("0.25", 250), ("0.001", 1)])
    func cpus(text: String, value: Int) throws {
        #expect(try Quantity.milliCPUs(text) == value)
    }

    @Test("what is no number of CPUs is refused", arguments: ["", "0", "-1", "1.2345", "two", "1,5", ".5", "1."])
    func wrongCPUs(text: String) {
        #expect(throws: KilnError.self) { try Quantity.milliCPUs(text) }
    }

    @Test("times", arguments: [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200)])
    func times(text: String, seconds: Int) throws {
        #expect(try Quantity.duration(text) == .seconds(seconds))
    }

    @Test("what is no time is refused", arguments: ["", "0", "m", "1.5h", "10 m", "-5"])
    func wrongTimes(text: String) {
        #expect(throws: KilnError.self) { try Quantity.duration(text) }
    }

    @Test("numbers for people") func shown() {
        #expect([0, 59, 60, 7199, 86400 * 3].map { Show.duration($0) } == ["0 s", "59 s", "1 m", "1 h", "3 d"])
        #expect([0, 1023, 1024, 1536 << 20, 4 << 30, 120 << 20].map { Show.size($0) } == ["0 B", "1023 B", "1 KiB", "1.5 GiB", "4 GiB", "120 MiB"])
        #expect([1500, 2000, 250, 1].map { Show.cpus($0) } == ["1.5", "2", "0.25", "0.001"])
    }
}
