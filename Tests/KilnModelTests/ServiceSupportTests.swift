import KilnModel
import Testing

@Suite struct ServiceSupportTests {
    private func service() throws -> Service {
        Service(name: try Name("web"), addressIndex: 1, image: .reference(try ImageReference("localhost/x")))
    }

    @Test func `What cannot be made true is refused by its key`() throws {
        try service().requireSupport()
        var many = try service()
        many.replicas = 2
        var imageCheck = try service()
        imageCheck.healthcheck = .init(command: [], usesImage: true)
        var folder = try service()
        let copy = FileCopy(origin: "web", kind: .folder, digest: try ContentDigest(String(repeating: "0", count: 64)))
        folder.files = [FileMount(source: .copy(copy), path: try ContainerPath("/srv"), mode: 0o700)]
        for (service, key) in [(many, "deploy.replicas"), (imageCheck, "healthcheck"), (folder, "mode")] {
            #expect { try service.requireSupport() } throws: { error in
                guard let error = error as? KilnError else { return false }
                return error.code == .invalidCompose && error.message.contains(key) && error.message.contains("not supported yet")
                    && error.hint != nil
            }
        }
    }
}
