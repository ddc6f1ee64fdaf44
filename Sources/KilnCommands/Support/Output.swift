internal import FoundationEssentials
internal import KilnModel

/// Standard output for results, standard error for everything said on the way.
public struct Output: Sendable {
    public struct Channel: Sendable {
        /// Where bytes of programs go; -1 when there is only `writeBytes`.
        public let descriptor: Int32
        public let isTerminal: Bool
        public let hasColours: Bool
        let writeBytes: @Sendable ([UInt8]) -> Void

        public init(descriptor: Int32 = -1, isTerminal: Bool, hasColours: Bool, writeBytes: @escaping @Sendable ([UInt8]) -> Void) {
            self.descriptor = descriptor
            self.isTerminal = isTerminal
            self.hasColours = hasColours
            self.writeBytes = writeBytes
        }

        func write(_ text: String) { writeBytes(Array(text.utf8)) }
    }

    public let standard: Channel
    public let error: Channel

    public init(standard: Channel, error: Channel) {
        self.standard = standard
        self.error = error
    }

    /// Prints a line of the result.
    func line(_ text: String = "") { standard.write(text + "\n") }

    /// Says something on the way.
    func note(_ text: String) { error.write(text + "\n") }

    /// Says what went wrong, and what mends it.
    func note(_ failure: KilnError) {
        note("\(error.hasColours ? Table.Style.bad.paint("error:") : "error:") \(failure.message)")
        if let hint = failure.hint { note("  try: \(hint)") }
    }

    func table(_ table: Table) { standard.write(table.rendered(colours: standard.hasColours)) }

    /// Prints a value as the API writes it, keys sorted.
    func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        standard.writeBytes([UInt8](try encoder.encode(value)) + [UInt8(ascii: "\n")])
    }

    /// Prints a value on one line, for streams of values.
    func jsonLine(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        standard.writeBytes([UInt8](try encoder.encode(value)) + [UInt8(ascii: "\n")])
    }
}
