import Testing

@testable import LinuxEngine

@Suite("When garbage is collected")
struct OffPeakTests {
    @Test(
        "Between three and five at night, once",
        arguments: [
            (0, 10_800, 10_800), (10_799, 1, 1), (10_800, 0, 86_400), (14_000, 0, 83_200), (18_000, 79_200, 79_200), (86_399, 10_801, 10_801),
        ])
    func delays(seconds: Int, delay: Int, toNextDay: Int) {
        #expect(OffPeak.delay(at: seconds) == delay)
        #expect(OffPeak.delayToNextDay(at: seconds) == toNextDay)
    }
}
