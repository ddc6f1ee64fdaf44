import CommandRunner
import FileWork
import KilnModel
import Testing

@testable import NixPackages

/// Each fetches Debian's lists and packages from the host's mirror, and builds them.
@Suite(.serialized) struct DebianSourceTests {
    @Test("jq comes from Debian, runs where there is nothing but the store, and needs no network a second time")
    func jq() async throws {
        try await DebianFixture.with { fixture in
            let jq = try await fixture.add("jq")
            #expect(try await fixture.run(["jq", "-c", ".a"], with: [jq], input: #"{"a": [1, "é"]}"#) == "[1,\"é\"]\n")
            #expect(TrustedFiles.destination("\(fixture.directory)/roots/jq") == jq.storePath.value)
            let index = try await fixture.source.index()
            #expect(try index.entry(named: PackageName("jq"))?.version == jq.version)

            let offline = try fixture.offline()
            let (again, download) = try await offline.lock(try PackageWish("jq@1"))
            #expect(again == jq)
            #expect(download == 0)
            try await fixture.realise(again, from: offline)
            // Lists that are too old are as good as before while no newer ones can be had.
            try await SystemCommandRunner().succeed("touch", ["--date", "2 days ago", "\(fixture.directory)/debian/fetched"])
            let stale = try fixture.offline()
            try await stale.refresh()
            #expect(try await stale.lock(try PackageWish("jq")).package == jq)
            #expect(try await stale.releases(of: try PackageName("jq")).map(\.version) == [jq.version])
            // Nothing else on this host asks for it.
            let absent = try await offline.lock(try PackageWish("rolldice")).package
            let error = await #expect(throws: KilnError.self) { try await fixture.realise(absent, from: offline) }
            #expect(error?.code == .packageFailed)
            #expect(error?.message.hasPrefix("Debian packages could not be fetched") == true)
        }
    }

    @Test("Versions come from several suites, each with what it needs of its own")
    func suites() async throws {
        try await DebianFixture.with(suites: ["trixie", "bookworm"]) { fixture in
            let releases = try await fixture.source.releases(of: try PackageName("jq"))
            #expect(releases.map { String($0.attribute.prefix { $0 != "/" }) } == ["trixie", "bookworm"])
            let old = try await fixture.add("jq@1.6")
            #expect(old.attribute.hasPrefix("bookworm/jq="))
            #expect(try await fixture.run(["jq", "--version"], with: [old]) == "jq-1.6\n")
            let python = try await fixture.add("python3@3.11")
            #expect(
                try await fixture.run(["python3", "-c", "import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 100)"], with: [python])
                    == "True\n")
            let error = await #expect(throws: KilnError.self) { try await fixture.source.lock(try PackageWish("jq@1.8")) }
            #expect(error?.code == .versionNotFound)
            #expect(error?.hint?.contains(old.version.value) == true)
        }
    }

    @Test("What cannot be offered is refused with a reason, and a slip of the keys gets the nearest names")
    func refusals() async throws {
        try await DebianFixture.with { fixture in
            func refusal(of wish: String) async throws -> KilnError? {
                await #expect(throws: KilnError.self) { _ = try await fixture.add(wish) }
            }
            let kernel = try await refusal(of: "linux-doc")
            #expect(kernel?.message == "linux-doc from Debian cannot be offered: it holds documents alone.")
            let library = try await refusal(of: "libjq1")
            #expect(library?.code == .packageFailed)
            #expect(library?.message.hasSuffix("from Debian cannot be offered: it has no programs to show in a workspace.") == true, "\(library!)")
            let slip = try await refusal(of: "ripgrpe")
            #expect(slip?.code == .packageNotFound)
            #expect(slip?.hint?.contains("ripgrep") == true)
        }
    }

    @Test("An index that was cut off is refused, and made again when its folder is gone")
    func corrupt() async throws {
        try await DebianFixture.with { fixture in
            try await fixture.source.refresh()
            let catalog = "\(fixture.directory)/debian/catalog"
            let folder = "\(catalog)/\(try #require(TrustedFiles.destination("\(catalog)/current")))"
            try TrustedFiles.replace("\(folder)/trixie.packages", with: "jq\t1.7")
            let error = await #expect(throws: KilnError.self) { try await fixture.source.lock(try PackageWish("jq")) }
            #expect(error?.code == .indexUnusable)
            try TrustedFiles.remove(catalog)
            #expect(try await fixture.source.lock(try PackageWish("jq")).package.name.value == "jq")
        }
    }
}
