import Testing

@testable import NixPackages

@Suite struct DebianVersionTests {
    @Test(
        "Versions stand in the order of Debian Policy",
        arguments: [
            ["1.0~rc1", "1.0", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0+dfsg", "1.0.1", "1.1", "1.9", "1.10"],
            ["0.9", "1:0.1", "1:0.1-2", "2:0.0"],
            ["1~~", "1~~a", "1~", "1", "1a", "1a1", "1b", "1+", "1.2"],
            ["20.9.0+dfsg-1", "20.19.2+dfsg-1", "20.19.2+dfsg-1+deb13u1"],
        ])
    func ordered(versions: [String]) {
        for (index, earlier) in versions.enumerated() {
            for later in versions[(index + 1)...] {
                #expect(DebianVersion(earlier) < DebianVersion(later), "\(earlier) before \(later)")
                #expect(!(DebianVersion(later) < DebianVersion(earlier)), "\(later) not before \(earlier)")
            }
        }
    }

    @Test("Leading zeros, an epoch of 0 and an empty revision make no difference")
    func equal() {
        #expect(DebianVersion("1.02") == DebianVersion("1.2"))
        #expect(DebianVersion("0:1.2") == DebianVersion("1.2"))
        #expect(DebianVersion("1.2-0") == DebianVersion("1.2"))
        #expect(DebianVersion("1.2-1") != DebianVersion("1.2-2"))
    }

    @Test("Relations are read with their constraints, and what does not matter here is left out")
    func relations() throws {
        let groups = DebianRelation.groups("libc6 (>= 2.38), default-mta | mail-transport-agent, perl:any (<< 6~), zlib1g [amd64]")
        #expect(
            groups.map { $0.map(\.description) } == [["libc6 (>= 2.38)"], ["default-mta", "mail-transport-agent"], ["perl (<< 6~)"], ["zlib1g"]])
        #expect(groups[0][0].constraint?.allows(DebianVersion("2.41-12")) == true)
        #expect(groups[0][0].constraint?.allows(DebianVersion("2.36-9")) == false)
    }
}
