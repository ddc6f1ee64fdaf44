import Compose
import Foundation
import KilnModel
import Testing

@Suite struct ServiceTests {
    private func file(_ names: String...) -> String { "services:\n" + names.map { "  \($0): {image: a}\n" }.joined() }

    @Test func servicesGetTheLowestIndexesInTheFilesOrder() throws {
        #expect(try services(file("c", "a", "b")).map { "\($0.name)\($0.addressIndex)" } == ["c1", "a2", "b3"])
    }

    @Test func aServiceKeepsItsIndexAndANewOneGetsTheLowestFree() throws {
        let first = try services(file("a", "b", "c"))
        let second = try services(file("new", "c", "a", "other"), keeping: first)
        #expect(second.map { "\($0.name)\($0.addressIndex)" } == ["new2", "c3", "a1", "other4"])
        #expect(try services(file("c", "a", "new", "other"), keeping: second).map(\.addressIndex) == [3, 1, 2, 4])
    }

    @Test func aContextThatWasNotSentIsRefusedWhereItIsNamed() throws {
        let project = try read("services:\n  a:\n    build: ./a\n  b:\n    build:\n      context: ./b\n")
        let error = try #require(throws: ComposeError.self) { _ = try project.services(contexts: [:], keeping: []) }
        #expect(error.findings.map { "\($0.line):\($0.column)" } == ["3:12", "6:16"])
    }

    @Test func theShopExampleIsAGoodFile() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../examples/shop/compose.yaml").standardized
        let project = try read(String(contentsOf: path, encoding: .utf8))
        #expect(project.warnings.isEmpty)
        #expect(project.contexts == ["./postgres", "./redis", "./api"])
        #expect(project.referencedVariables == ["GREETING", "POSTGRES_PASSWORD"])
        let list = try services(String(contentsOf: path, encoding: .utf8), variables: ["POSTGRES_PASSWORD": "secret"])
        #expect(list.map(\.name.value) == ["postgres", "redis", "api"])
        #expect(list.map { $0.ports.map(\.description) } == [["5432/tcp"], ["6379/tcp"], ["8080/tcp"]])
        #expect(list[0].variables.map(\.description).contains("POSTGRES_PASSWORD=secret"))
        #expect(list[2].dependencies.map(\.condition) == [.healthy, .healthy])
        #expect(list.allSatisfy { $0.healthcheck?.interval == 1 })
    }
}
