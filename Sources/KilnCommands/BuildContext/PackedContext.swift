internal import Crypto
internal import Glibc
internal import KilnModel

/// A build context as one tar, in a file that has no name, so that it vanishes with the process.
final class PackedContext: Sendable {
    let digest: ContentDigest
    /// Bytes of the tar.
    let length: Int
    private let descriptor: Int32

    /// Packs `tree`. The same files give the same bytes on every machine.
    /// - Parameter folder: where the file is made.
    init(_ tree: ContextTree, in folder: String) throws(KilnError) {
        var template = Array("\(folder)/kl-context-XXXXXX".utf8CString)
        // mkstemp makes it 0600.
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Self.failure("A temporary file in \(folder) cannot be made") }
        unlink(template)
        self.descriptor = descriptor
        var hash = SHA256()
        var length = 0
        var buffer: [UInt8] = []
        func flush() throws(KilnError) {
            hash.update(data: buffer)
            length += buffer.count
            guard writeAll(buffer, to: descriptor) else { throw Self.failure("The build context cannot be packed in \(folder)") }
            buffer.removeAll(keepingCapacity: true)
        }
        do {
            try withoutActuallyEscaping({ (bytes: [UInt8]) throws in
                buffer += bytes
                if buffer.count >= 1 << 18 { try flush() }
            }) { sink in
                let writer = TarWriter(sink: sink)
                for item in tree.items { try Self.write(item, of: tree, with: writer) }
                try writer.finish()
            }
            try flush()
            digest = try ContentDigest(hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        } catch let error as KilnError {
            close(descriptor)
            throw error
        } catch {
            close(descriptor)
            throw KilnError(.internalError, "The build context cannot be packed: \(error)")
        }
        self.length = length
    }

    deinit { close(descriptor) }

    /// At most 256 KiB from `offset` on.
    func piece(at offset: Int) throws(KilnError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: min(1 << 18, length - offset))
        let count = pread(descriptor, &bytes, bytes.count, offset)
        guard count > 0 || bytes.isEmpty else { throw Self.failure("The packed build context cannot be read") }
        return Array(bytes[..<max(0, count)])
    }

    private static func write(_ item: ContextTree.Item, of tree: ContextTree, with writer: TarWriter) throws {
        switch item.kind {
        case .folder: try writer.header(item.path, mode: item.mode, .folder)
        case .link(let target): try writer.header(item.path, mode: item.mode, .link(target: target))
        case .file(let size):
            let path = tree.location(of: item)
            let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard file >= 0 else { throw failure("\(path) cannot be read") }
            defer { close(file) }
            try writer.header(item.path, mode: item.mode, .file(size: size))
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            var left = size
            while left > 0 {
                let count = read(file, &piece, min(piece.count, left))
                guard count > 0 else {
                    if count < 0, errno == EINTR { continue }
                    throw count < 0 ? failure("\(path) cannot be read") : changed(path)
                }
                try writer.content(piece[..<count])
                left -= count
            }
            try writer.pad(after: size)
        }
    }

    private static func changed(_ path: String) -> KilnError {
        KilnError(.invalidBuildContext, "\(path) became shorter while it was read.", hint: "Run the command again once nothing writes there.")
    }

    private static func failure(_ deed: String) -> KilnError {
        let code: KilnError.Code = errno == ENOSPC ? .diskFull : .invalidBuildContext
        return KilnError(code, "\(deed): \(String(cString: strerror(errno))).", hint: errno == ENOSPC ? "df -h" : nil)
    }
}
