import KilnModel
import Testing

@testable import NixPackages

@Suite("What Nix says while it works")
struct NixLogTests {
    private let store = "/nix/store/5346ywsrmmyrk8519gb71m0ax24j8j3q"

    @Test("Bytes fetched are summed over transfers, and the total is what was announced until more is known")
    func progress() {
        var log = NixLog()
        let lines = [
            #"{"action":"start","id":1,"level":0,"text":"","type":103}"#,
            #"{"action":"start","fields":["\#(store)-jq-1.6","file:///c","local"],"id":2,"level":3,"text":"copying","type":100}"#,
            #"{"action":"result","fields":[101,5000],"id":2,"type":106}"#,
            #"{"action":"start","fields":["file:///c/nar/x"],"id":3,"level":4,"text":"downloading","type":101}"#,
            #"{"action":"result","fields":[2500,5000,0,0],"id":3,"type":105}"#,
            #"{"action":"start","fields":["file:///c/nar/y"],"id":4,"level":4,"text":"downloading","type":101}"#,
            #"{"action":"result","fields":[4000,4000,0,0],"id":4,"type":105}"#,
            #"{"action":"start","fields":["\#(store)-tree-1.drv","",1,1],"id":5,"level":3,"text":"","type":105}"#,
        ]
        let states = lines.map { log.read("@nix \($0)") }
        #expect(
            states == [
                nil, PackageProgress(activity: "fetching jq-1.6"), PackageProgress(activity: "fetching jq-1.6", fetched: 0, total: 5000), nil,
                PackageProgress(activity: "fetching jq-1.6", fetched: 2500, total: 5000), nil,
                PackageProgress(activity: "fetching jq-1.6", fetched: 6500, total: 9000),
                PackageProgress(activity: "building tree-1", fetched: 6500, total: 9000),
            ])
    }

    @Test("A build that failed is told with its last words")
    func buildLine() {
        var log = NixLog()
        _ = log.read(#"@nix {"action":"result","fields":["first"],"id":5,"type":101}"#)
        _ = log.read(#"@nix {"action":"result","fields":["refused: it is no program"],"id":5,"type":101}"#)
        _ = log.read(#"@nix {"action":"msg","level":0,"msg":"builder for '\#(store)-x.drv' failed with exit code 1"}"#)
        let error = log.failure(of: "nix-build", status: 1)
        #expect(error.code == .packageFailed)
        #expect(error.message.hasSuffix("failed with exit code 1: refused: it is no program"))
        #expect(DebianBuilds.explained(error, name: "x-1").message == "x-1 from Debian cannot be offered: it is no program.")
    }

    @Test(
        "What does not belong to a transfer is no progress",
        arguments: [
            #"@nix {"action":"result","fields":[1,2,0,0],"id":9,"type":105}"#, "@nix {", "@nix []", "", "plain text",
            #"@nix {"action":"stop","id":3}"#, #"@nix {"action":"result","fields":["x"],"id":3,"type":106}"#,
        ])
    func noProgress(line: String) {
        var log = NixLog()
        let state = log.read(line)
        #expect(state == nil)
    }

    @Test("The last thing said explains a failure, without colours")
    func failure() {
        var log = NixLog()
        _ = log.read(#"@nix {"action":"msg","level":3,"msg":"these 2 derivations will be built:"}"#)
        _ = log.read(#"@nix {"action":"msg","level":0,"msg":"x","raw_msg":"build of \u001b[35;1m'/nix/store/a'\u001b[0m failed"}"#)
        let error = log.failure(of: "nix-store", status: 1)
        #expect(error.code == .packageFailed)
        #expect(error.message == "nix-store failed: build of '/nix/store/a' failed")
    }

    @Test(
        "Failures that people can do something about have their own codes",
        arguments: [
            ("cannot add path '/nix/store/a' because it lacks a signature by a trusted key", KilnError.Code.untrustedSignature),
            ("writing to file: No space left on device", .diskFull), ("it broke", .packageFailed),
        ])
    func codes(text: String, code: KilnError.Code) {
        var log = NixLog()
        _ = log.read("error: \(text)")
        #expect(log.failure(of: "nix-store", status: 1).code == code)
    }
}
