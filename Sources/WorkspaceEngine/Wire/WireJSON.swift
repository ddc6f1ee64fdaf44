import FoundationEssentials
import KilnModel
import NIOCore

/// JSON to and from buffers.
enum WireJSON {
    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        let data = try JSONEncoder().encode(value)
        guard data.count <= WireSettings.maximumMessage else {
            throw KilnError(.invalidValue, "A message of \(data.count) bytes for kiln-agent is over the limit of \(WireSettings.maximumMessage).")
        }
        return ByteBuffer(bytes: data)
    }

    /// One value on a line of its own; JSON holds no bare line feed.
    static func encodeLine(_ value: some Encodable) throws -> ByteBuffer {
        var line = try encode(value)
        line.writeInteger(UInt8(ascii: "\n"))
        return line
    }

    /// - Throws: `KilnError`: what a validated type said of its value, or `invalid-value`.
    static func decode<Value: Decodable>(_: Value.Type, from buffer: ByteBuffer) throws(KilnError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(buffer.readableBytesView))
        } catch let error as KilnError {
            throw error
        } catch {
            throw KilnError(
                .invalidValue, "A message between kilnd and kiln-agent was not understood: \("\(error)".printable(limit: 500))",
                hint: "Run the same version of both.")
        }
    }
}
