/// An absolute path inside a container: not `/` itself, without `..` and control characters, at most 4096 bytes.
public struct ContainerPath: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        let parts = text.split(separator: "/")
        let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        guard text.hasPrefix("/"), isPlain, !parts.isEmpty, !parts.contains(".."), text.utf8.count <= 4096 else {
            throw KilnError(
                .invalidValue, "“\(text.printable(limit: 80))” is not a path in a container.",
                hint: "Use an absolute path other than /, without “..”."
            )
        }
        value = text
    }

    /// Its components, by which two spellings of one place are equal.
    public var components: [Substring] { value.split(separator: "/").filter { $0 != "." } }
}

/// A user or group by name or number, with an optional group behind a colon: `postgres`, `1000`, `1000:1000`.
public struct UserReference: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy(Self.isName) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 80))” is not a user.", hint: "Write it like postgres, 1000 or 1000:1000.")
        }
        value = text
    }

    private static func isName(_ text: Substring) -> Bool {
        guard (1...32).contains(text.utf8.count), let first = text.utf8.first, first.isASCIIAlphanumeric || first == UInt8(ascii: "_") else {
            return false
        }
        // An id beyond the container's range does not exist there.
        if let number = Int(text) { return number < Instance.rangeSize }
        return text.utf8.allSatisfy { $0.isASCIIAlphanumeric || "_.-$".utf8.contains($0) }
    }
}

/// A name in DNS as people write it: labels of letters, digits, `-` and `_`, joined by dots; at most 253 bytes.
public struct HostName: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let isRight = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.utf8.allSatisfy { $0.isASCIIAlphanumeric || "_-".utf8.contains($0) }
        }
        guard isRight, text.utf8.count <= 253 else {
            throw KilnError(.invalidName, "“\(text.printable(limit: 80))” is not a host's name.", hint: "Use letters, digits, - and dots.")
        }
        value = text
    }
}

/// An IPv4 or IPv6 address as text.
public struct HostAddress: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        let isSix =
            text.contains(":") && text.utf8.count <= 45 && text.utf8.allSatisfy { "0123456789abcdefABCDEF:.".utf8.contains($0) }
        guard IPv4Address(text) != nil || isSix else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 80))” is not an IP address.")
        }
        value = text
    }
}

/// A signal that asks a program to end, by its number on Linux.
public struct StopSignal: Sendable, Codable, Hashable, CustomStringConvertible {
    public let number: Int

    /// signal(7), for x86 and ARM.
    private static let numbers = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "IOT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12,
        "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23,
        "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28, "IO": 29, "PWR": 30, "SYS": 31, "RTMIN": 34, "RTMAX": 64,
    ]

    /// Parses `SIGINT`, `INT`, `2` or `SIGRTMIN+3`.
    public init(_ text: String) throws(KilnError) {
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        var number = Int(name) ?? Self.numbers[name]
        if name.hasPrefix("RTMIN+"), let offset = UInt8(name.dropFirst(6)) { number = 34 + Int(offset) }
        if name.hasPrefix("RTMAX-"), let offset = UInt8(name.dropFirst(6)) { number = 64 - Int(offset) }
        guard let number, (1...64).contains(number) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is not a signal.", hint: "Write it like SIGINT, TERM, 15 or SIGRTMIN+3.")
        }
        self.number = number
    }

    public var description: String { "\(number)" }

    /// `SIGINT`; a real-time one without a name of its own by its distance: `SIGRTMIN+3`.
    public var name: String {
        if let name = Self.numbers.filter({ $0.value == number && $0.key != "IOT" }).keys.first { return "SIG\(name)" }
        return number > 34 ? "SIGRTMIN+\(number - 34)" : "\(number)"
    }

    public init(from decoder: any Decoder) throws { try self.init("\(decoder.singleValueContainer().decode(Int.self))") }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}

/// One of a process's resource limits (`getrlimit(2)`).
public struct ProcessLimit: Sendable, Codable, Hashable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        case core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack
        case addressSpace = "as"
    }

    public var kind: Kind
    /// nil: unlimited.
    public var soft: Int?
    public var hard: Int?

    public init(kind: Kind, soft: Int?, hard: Int?) {
        self.kind = kind
        self.soft = soft
        self.hard = hard
    }
}
