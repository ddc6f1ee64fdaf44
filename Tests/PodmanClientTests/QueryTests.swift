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

    @Test func `Podman's refusals are told apart by their cause`() {
        #expect(PodmanError(status: 500, message: "x", cause: "that name is already in use").isNameConflict)
        #expect(PodmanError(status: 500, message: "a: image not known", cause: "image not known").isNoSuchImage)
        #expect(PodmanError(status: 404, message: "x", cause: "no such container").isNoSuchContainer)
        #expect(PodmanError(status: 500, message: "x", cause: "no such container").isNoSuchContainer)
        #expect(!PodmanError(status: 404, message: "x", cause: "no such volume").isNoSuchContainer)
    }
}
