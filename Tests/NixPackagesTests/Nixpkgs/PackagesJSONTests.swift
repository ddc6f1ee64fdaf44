import KilnModel
import Testing

@testable import NixPackages

struct PackagesJSONTests {
    private func packages(_ text: String) throws -> [PackagesJSON.Package] {
        try Array(text.utf8).withUnsafeBytes { try PackagesJSON($0).packages() }
    }

    private let channel = #"""
        {"version": 2, "packages": {
          "jq": {"name": "jq-1.7", "pname": "jq", "version": "1.7", "system": "x86_64-linux",
                 "meta": {"description": "A \"JSON\" {processor}, [small]", "license": [{"free": true}, null], "priority": -1.5e3}},
          "nodejs_20": {"pname": "nodejs", "version": "20.11.1", "meta": {}},
          "python3Packages.numpy": {"pname": "numpy", "version": "2", "meta": {"description": "in a set"}},
          "empty": {"pname": "empty", "meta": {"description": null}},
          "key\u0022": {"pname": "escaped", "version": "1"}
        }, "more": [1, {"packages": {}}]}
        """#

    @Test func `Packages at the top are read past everything else`() throws {
        let found = [
            PackagesJSON.Package(attribute: "jq", name: "jq", version: "1.7", summary: "A \"JSON\" {processor}, [small]"),
            PackagesJSON.Package(attribute: "nodejs_20", name: "nodejs", version: "20.11.1", summary: ""),
        ]
        #expect(try packages(channel) == found)
    }

    @Test func `The inner object alone is as good`() throws {
        #expect(try packages(#"{"jq":{"version":"1.7"}}"#) == [.init(attribute: "jq", name: "jq", version: "1.7", summary: "")])
        #expect(try packages("{}").isEmpty)
    }

    @Test func `Wherever a list is cut off, it is refused`() throws {
        let bytes = Array(channel.utf8)
        for length in 0..<(bytes.count - 1) {
            let error = #expect(throws: KilnError.self) { try packages(String(decoding: bytes[..<length], as: UTF8.self)) }
            #expect(error?.code == .indexUnusable)
        }
    }

    @Test(arguments: ["[]", "null", "\u{1F}\u{8B}compressed", "<html></html>", #"{"a": 1, , "b": 2}"#, #"{"a" 1}"#, #"{"a": ]}"#])
    func `What is no object of packages is refused`(text: String) { #expect(throws: KilnError.self) { try packages(text) } }
}
