import KilnModel
import Testing

@Suite struct SessionFrameTests {
    private func randomFrame(_ generator: inout SeededGenerator) -> SessionFrame {
        let length = [0, 1, 4, 5, 300, 70_000].randomElement(using: &generator)!
        let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
        switch Int.random(in: 0..<9, using: &generator) {
        case 0: return .request(bytes)
        case 1: return .input(bytes)
        case 2: return .inputEnd
        case 3: return .resize(.init(columns: .random(in: 0...UInt16.max, using: &generator), rows: .random(in: 0...UInt16.max, using: &generator)))
        case 4: return .signal(.random(in: 0...255, using: &generator))
        case 5: return .output(bytes)
        case 6: return .errorOutput(bytes)
        case 7: return .exit(.random(in: 0...255, using: &generator))
        default: return .failure(bytes)
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func framesSurviveAnyCuttingOfTheirBytes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let frames = (0..<60).map { _ in randomFrame(&generator) }
        let bytes = frames.flatMap(\.encoded)
        var decoder = SessionFrameDecoder()
        var decoded: [SessionFrame] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix([0, 1, 2, 7, 4096, 200_000].randomElement(using: &generator)!)
            rest = rest.dropFirst(piece.count)
            decoder.append(piece)
            // Sometimes frames are left to pile up.
            if Bool.random(using: &generator) { while let frame = try decoder.next() { decoded.append(frame) } }
        }
        while let frame = try decoder.next() { decoded.append(frame) }
        #expect(decoded == frames)
        #expect(try decoder.next() == nil)
    }

    @Test func aFrameComesOnlyWhenItIsWhole() throws {
        for frame in [SessionFrame.input([1, 2, 3]), .inputEnd, .resize(.init(columns: 258, rows: 772)), .exit(7)] {
            var decoder = SessionFrameDecoder()
            for byte in frame.encoded.dropLast() {
                decoder.append([byte])
                #expect(try decoder.next() == nil)
            }
            decoder.append(frame.encoded.suffix(1))
            #expect(try decoder.next() == frame)
        }
    }

    @Test func theEncodingIsATypeALengthAndThePayload() {
        #expect(SessionFrame.input([9, 8]).encoded == [1, 0, 0, 0, 2, 9, 8])
        #expect(SessionFrame.resize(.init(columns: 0x0102, rows: 0x0304)).encoded == [3, 0, 0, 0, 4, 1, 2, 3, 4])
        #expect(Array(SessionFrame.output(.init(repeating: 0, count: 0x010203)).encoded.prefix(5)) == [16, 0, 1, 2, 3])
    }

    @Test func theLargestPayloadPassesAndOneByteMoreDoesNot() throws {
        var decoder = SessionFrameDecoder()
        let frame = SessionFrame.output(.init(repeating: 7, count: SessionFrame.maximumPayload))
        decoder.append(frame.encoded)
        #expect(try decoder.next() == frame)
        // The length alone is enough: nothing over the limit is ever gathered.
        decoder.append(SessionFrame.output(.init(repeating: 7, count: SessionFrame.maximumPayload + 1)).encoded.prefix(5))
        #expect(throws: KilnError.self) { try decoder.next() }
    }

    @Test(arguments: [
        [2, 0, 0, 0, 1, 0], [3, 0, 0, 0, 3, 0, 0, 0], [4, 0, 0, 0, 0], [4, 0, 0, 0, 2, 1, 1], [18, 0, 0, 0, 0], [5, 0, 0, 0, 0], [255, 0, 0, 0, 0],
        [1, 255, 255, 255, 255],
    ])
    func aFrameThatIsNotKnownIsRefused(_ bytes: [UInt8]) {
        var decoder = SessionFrameDecoder()
        decoder.append(bytes)
        #expect(throws: KilnError.self) { try decoder.next() }
    }

    @Test func randomBytesGiveFramesOrAnError() {
        var generator = SeededGenerator(seed: 99)
        for _ in 0..<5000 {
            var decoder = SessionFrameDecoder()
            var fed = 0
            var encoded = 0
            do {
                for _ in 0..<8 {
                    // Small bytes first, so that lengths are often short enough.
                    let bytes = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                        UInt8.random(in: 0...(Bool.random(using: &generator) ? 4 : 255), using: &generator)
                    }
                    decoder.append(bytes)
                    fed += bytes.count
                    while let frame = try decoder.next() { encoded += frame.encoded.count }
                }
            } catch {
                #expect(error.code == .invalidValue)
            }
            #expect(encoded <= fed)
        }
    }
}
