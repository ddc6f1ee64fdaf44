import FoundationEssentials
import KilnModel
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2000-02-29T23:59:59Z", 951_868_799), ("2026-12-31T23:59:59-01:30", 1_798_766_999),
        ("2100-03-01T00:00:00Z", 4_107_542_400), ("0001-01-01T00:00:00Z", -62_135_596_800), ("2026-02-03 10:00:00.5+01:00", 1_770_109_200.5),
        ("1969-12-31t23:59:59.999999z", -0.000001),
    ])
    func `times are those of the calendar`(text: String, seconds: Double) throws {
        #expect(try Timestamp(text) == Timestamp(seconds: seconds))
    }

    @Test(arguments: [
        "", "2026", "2026-13-01T00:00:00Z", "2026-02-03 10:00", "2026-02-03T10:00:0x", "2026-02-03T10:00:00+1", "2026-02-03T10:00:00",
        "2026-02-03T10:00:00Z ", "2026-02-03T10:00:00.Z", "1770112800", "2026-02-03T24:00:00Z",
    ])
    func `what is no time is none`(text: String) { #expect(throws: KilnError.self) { try Timestamp(text) } }

    @Test func `every day is written as it is read, in the order of its text`() throws {
        var before = ""
        for day in stride(from: -719_162.0, to: 2_932_896, by: 97) {
            let time = Timestamp(seconds: day * 86400 + 0.25 + 3661)
            #expect(try Timestamp(time.description) == time)
            #expect(time.description > before && time.description.utf8.count == 27)
            before = time.description
        }
    }

    @Test func `what no year of four digits holds is kept within them`() {
        #expect(Timestamp(seconds: .infinity).description == "9999-12-31T23:59:59.999999Z")
        #expect(Timestamp(seconds: -.infinity).description == "0001-01-01T00:00:00.000000Z")
        #expect(Timestamp(seconds: .nan) == 0)
    }

    @Test func `JSON has text, and seconds of old are still read`() throws {
        let time: Timestamp = 1_770_112_800.125
        #expect(String(decoding: try JSONEncoder().encode([time]), as: UTF8.self) == #"["2026-02-03T10:00:00.125000Z"]"#)
        #expect(try JSONDecoder().decode([Timestamp].self, from: Data("[1770112800.125, 0]".utf8)) == [time, 0])
        #expect(time.text(fraction: 3) == "2026-02-03T10:00:00.125Z")
        #expect(time.text(fraction: 0) == "2026-02-03T10:00:00Z")
    }
}
