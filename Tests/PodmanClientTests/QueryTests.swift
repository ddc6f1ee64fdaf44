import NIOCore
import Testing

@testable import PodmanClient

@Suite struct QueryTests {
    @Test func `Everything but unreserved characters is escaped`() {
        #expect(Query.text([("a b", "c&d=é/"), ("x", "-._~")]) == "?a%20b=c%26d%3D%C3%A9%2F&x=-._~")
        #expect(Query.text([]) == "")
    }

    @Test func `Filters are JSON of lists`() throws {
        #expect(try Query.filters(["label": ["kiln=1"]]) == ("filters", #"{"label":["kiln=1"]}"#))
    }

    @Test func `A log stream is taken apart however it is cut`() throws {
        let wire: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 3] + Array("one".utf8) + [2, 0, 0, 0, 0, 0, 0, 4] + Array("two\n".utf8)
        for size in 1...wire.count {
            var buffer = ByteBuffer()
            var pieces: [ContainerLog.Element] = []
            for start in stride(from: 0, to: wire.count, by: size) {
                buffer.writeBytes(wire[start..<min(start + size, wire.count)])
                while let piece = try ContainerLog.Iterator.takePiece(from: &buffer) { pieces.append(piece) }
            }
            #expect(pieces == [.init(isError: false, bytes: Array("one".utf8)), .init(isError: true, bytes: Array("two\n".utf8))])
        }
    }

    @Test func `Podman's refusals are told apart by their cause`() {
        #expect(PodmanError(status: 500, message: "x", cause: "that name is already in use").isNameConflict)
        #expect(PodmanError(status: 500, message: "a: image not known", cause: "image not known").isNoSuchImage)
        #expect(PodmanError(status: 404, message: "x", cause: "no such container").isNoSuchContainer)
        #expect(!PodmanError(status: 404, message: "x", cause: "no such volume").isNoSuchContainer)
    }
}
