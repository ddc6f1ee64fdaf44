import Foundation
import KilnModel
import Testing

@testable import Compose

/// Kiln's reader beside the reference implementation, `docker-compose config` of Debian 13 (scripts/compose-reference).
@Suite struct DifferentialTests {
    private static func program() throws -> String {
        try #require(
            ProcessInfo.processInfo.environment["KILN_TEST_COMPOSE_REFERENCE"],
            "KILN_TEST_COMPOSE_REFERENCE must name docker-compose 2.26: scripts/compose-reference fetches it, with --path it says where it is")
    }

    /// What the reference says, in Kiln's words.
    private func expected(_ project: ComposeCase) throws -> (tree: JSONTree, used: Set<Int>) {
        var tree = try project.reference(Self.program())
        var used: Set<Int> = []
        for (index, disagreement) in Disagreement.all.enumerated() {
            let before = tree
            disagreement.apply(&tree)
            if tree != before { used.insert(index) }
        }
        return (tree, used)
    }

    @Test(arguments: ComposeCase.all)
    func bothUnderstandTheSame(_ project: ComposeCase) throws {
        var (expected, _) = try expected(project)
        let read = try project.read()
        // Without a name in the file the reference takes the folder's; an environment has one of its own.
        if read.name == nil { expected["name"] = nil }
        let found = try JSONTree.parse(read.converted().json)
        for difference in JSONTree.difference(expected, found) { Issue.record("\(project.name): \(difference)") }
    }

    @Test func thereAreFortyFilesAtLeast() {
        #expect(ComposeCase.all.count >= 40)
    }

    @Test func everyDisagreementIsMetSomewhere() throws {
        var met: Set<Int> = []
        for project in ComposeCase.all { met.formUnion(try expected(project).used) }
        for index in Disagreement.all.indices where !met.contains(index) {
            Issue.record("nothing differs any more: \(Disagreement.all[index].reason)")
        }
    }

    /// Keys of services that are read but cannot be in a file that both accept, or that the reference does not know yet.
    private static let unshared: Set<String> = ["pid", "uts", "userns_mode", "label_file"]

    @Test func theFilesUseEverythingThatIsSupported() throws {
        let texts = try FileManager.default.subpathsOfDirectory(atPath: ComposeCase.directory).filter { $0.hasSuffix(".yaml") }
            .map { try String(contentsOfFile: "\(ComposeCase.directory)/\($0)", encoding: .utf8) }.joined(separator: "\n")
        let places: [KnownKeys] = [
            .file, .service, .extends, .include, .build, .healthcheck, .port, .mount, .bindOptions, .memoryOptions, .volume, .network, .attachment,
            .config,
            .secret, .grant, .deploy, .resources, .limits, .restartPolicy, .limitRange, .dependency, .environmentFile,
        ]
        let unused = Set(places.flatMap(\.supported)).subtracting(Self.unshared).filter { key in
            !texts.contains("\(key):") && !texts.contains("\"\(key)\":")
        }
        // Of a port's long form these two say nothing to either reader of this version.
        #expect(unused.subtracting(["app_protocol"]) == [], "\(unused.sorted())")
    }

    @Test(arguments: ComposeCase.all)
    func whatIsConvertedReadsAsBefore(_ project: ComposeCase) throws {
        let read = try project.read()
        let converted = read.converted()
        var again = ComposeInput(files: [.init(path: "converted.yaml", text: converted.yaml)], variables: try project.variables, profiles: ["*"])
        again.secrets = []
        let second = try ComposeFile.read(again)
        #expect(second.needs.isEmpty)
        for difference in JSONTree.difference(try JSONTree.parse(converted.json), try JSONTree.parse(second.converted().json)) {
            Issue.record("\(project.name): \(difference)")
        }
        #expect(try inAnyOrder(services(of: second)) == inAnyOrder(services(of: read)))
        let fromJSON = try ComposeFile.read(
            ComposeInput(files: [.init(path: "converted.json", text: converted.json)], variables: try project.variables, profiles: ["*"]))
        #expect(fromJSON.converted() == converted)
    }

    /// Maps have no order.
    private func inAnyOrder(_ services: [Service]) -> [Service] {
        services.sorted { $0.name < $1.name }.map { service in
            var service = service
            service.addressIndex = 0
            service.variables.sort { $0.key < $1.key }
            service.dependencies.sort { $0.service < $1.service }
            service.settings.processLimits.sort { $0.kind.rawValue < $1.kind.rawValue }
            if case .build(var build) = service.image {
                build.arguments.sort { $0.key < $1.key }
                service.image = .build(build)
            }
            return service
        }
    }
}
