import Testing

@testable import NixPackages

@Suite struct HostArchivesTests {
    @Test("The mirrors and suites are those of the host's apt, whatever it calls their updates")
    func read() throws {
        let targets = """
            Debian\tbookworm\thttp://mirror.example/debian/
            Debian\tbookworm-updates\thttp://other.example/debian
            Debian-Security\tbookworm-security\thttps://mirror.example/debian-security
            Other\tstable\thttps://vendor.example/apt
            """
        let archives = try #require(HostArchives(targets: targets) { _ in nil })
        #expect(archives.main == "http://mirror.example/debian")
        #expect(archives.security == "https://mirror.example/debian-security")
        #expect(archives.suites == ["bookworm"])
    }

    @Test("A mirror may be kept in a file, as cloud images do")
    func list() throws {
        let archives = HostArchives(targets: "Debian\ttrixie\tmirror+file:/etc/apt/mirrors/debian.list") { path in
            path == "/etc/apt/mirrors/debian.list" ? "https://mirror.example/debian" : nil
        }
        #expect(archives?.main == "https://mirror.example/debian")
        #expect(archives?.security == nil)
    }

    @Test(
        "Nothing that apt could take for another field, or that is no mirror, is used",
        arguments: ["file:/srv/debian", "http://a b/debian", "cdrom:[x]"])
    func unusable(uri: String) {
        #expect(HostArchives(targets: "Debian\ttrixie\t\(uri)") { _ in nil } == nil)
    }
}
