/// Writes a tar archive (POSIX.1-2001: ustar, with a pax header where a field is too small) that depends on nothing but what goes in:
/// no times, no owners.
struct TarWriter {
    enum Entry: Equatable {
        case folder
        case file(size: Int)
        case link(target: String)
    }

    /// Takes the archive's bytes, in order.
    private let sink: ([UInt8]) throws -> Void

    init(sink: @escaping ([UInt8]) throws -> Void) { self.sink = sink }

    /// Writes the header of an entry; a file's `size` bytes go through `content`, then `pad`.
    /// - Parameters:
    ///   - path: relative, components joined by `/`.
    ///   - mode: permission bits, setuid and its like included.
    func header(_ path: String, mode: UInt32, _ entry: Entry) throws {
        var name = Array(path.utf8)
        var records: [(String, String)] = []
        var target: [UInt8] = []
        var size = 0
        switch entry {
        case .folder: name.append(UInt8(ascii: "/"))
        case .file(let bytes): size = bytes
        case .link(let text): target = Array(text.utf8)
        }
        if name.count > 100 { records.append(("path", String(decoding: name, as: UTF8.self))) }
        if target.count > 100 { records.append(("linkpath", String(decoding: target, as: UTF8.self))) }
        if size > 0o77777777777 { records.append(("size", "\(size)")) }
        if !records.isEmpty {
            let body = records.flatMap { Self.record($0.0, $0.1) }
            try sink(Self.block(name: Array("pax".utf8), mode: 0o644, size: body.count, type: "x", target: []))
            try content(body[...])
            try pad(after: body.count)
        }
        let type: Unicode.Scalar =
            switch entry {
            case .folder: "5"
            case .file: "0"
            case .link: "2"
            }
        try sink(Self.block(name: name, mode: mode, size: size > 0o77777777777 ? 0 : size, type: type, target: target))
    }

    func content(_ bytes: ArraySlice<UInt8>) throws { try sink(Array(bytes)) }

    /// Fills the last block of a file of `size` bytes.
    func pad(after size: Int) throws {
        let rest = size % 512
        if rest > 0 { try sink([UInt8](repeating: 0, count: 512 - rest)) }
    }

    /// Two empty blocks end an archive.
    func finish() throws { try sink([UInt8](repeating: 0, count: 1024)) }

    /// `LENGTH KEY=VALUE\n`, where the length counts itself.
    private static func record(_ key: String, _ value: String) -> [UInt8] {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count
        while "\(length)".utf8.count + rest.utf8.count != length { length = "\(length)".utf8.count + rest.utf8.count }
        return Array("\(length)\(rest)".utf8)
    }

    private static func block(name: [UInt8], mode: UInt32, size: Int, type: Unicode.Scalar, target: [UInt8]) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Collection<UInt8>, at offset: Int, limit: Int) {
            for (index, byte) in bytes.prefix(limit).enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int, digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
        }
        put(name, at: 0, limit: 100)
        put(octal(Int(mode & 0o7777), digits: 7), at: 100, limit: 7)
        put(octal(0, digits: 7), at: 108, limit: 7)
        put(octal(0, digits: 7), at: 116, limit: 7)
        put(octal(size, digits: 11), at: 124, limit: 11)
        put(octal(0, digits: 11), at: 136, limit: 11)
        block[156] = UInt8(ascii: type)
        put(target, at: 157, limit: 100)
        put(Array("ustar\0".utf8) + Array("00".utf8), at: 257, limit: 8)
        // The checksum is taken with its own field full of spaces.
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148, limit: 8)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, digits: 6) + [0, UInt8(ascii: " ")], at: 148, limit: 8)
        return block
    }
}
