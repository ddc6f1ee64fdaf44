import Glibc
public import KilnModel
public import WorkspaceEngine

extension LinuxEngine {
    public func missing(_ copies: FileCopies) async throws -> [FileCopy] {
        copies.copies.filter { !folders.hasCopy($0, of: copies.environment) }
    }

    public func store(_ copy: FileCopy, of copies: FileCopies, tar: ByteStream) async throws {
        let firstID = instance.firstUserID(ofRange: copies.rangeIndex)
        try await folders.store(copy, of: copies.environment, firstID: firstID, tar: tar)
    }

    var files: ServiceFiles { configuration.files }
}

extension LinuxEngine.Configuration {
    var files: ServiceFiles { ServiceFiles(folders: folders, runtimeDirectory: runtimeDirectory) }
}
