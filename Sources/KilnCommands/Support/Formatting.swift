internal import KilnModel

/// How numbers are shown to people.
enum Show {
    /// `45 s`, `3 m`, `5 h`, `12 d`: the largest unit that fits.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(min(max(0, seconds), 1e12))
        return switch whole {
        case ..<60: "\(whole) s"
        case ..<3600: "\(whole / 60) m"
        case ..<86400: "\(whole / 3600) h"
        default: "\(whole / 86400) d"
        }
    }

    static func since(_ time: Timestamp, now: Timestamp) -> String { duration(now - time) }

    /// `512 B`, `1.5 GiB`.
    static func size(_ bytes: Int) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes) / 1024
        var units = ["KiB", "MiB", "GiB", "TiB", "PiB"][...]
        while value >= 1023.95, units.count > 1 {
            value /= 1024
            units = units.dropFirst()
        }
        return "\(fixed(value, digits: value < 99.95 ? 1 : 0)) \(units.first ?? "")"
    }

    /// `2`, `1.5`, `0.25`
    static func cpus(_ milliCPUs: Int) -> String { fixed(Double(milliCPUs) / 1000, digits: 3) }

    static func percent(_ part: Int, of whole: Int) -> String { whole > 0 ? "\(Int((Double(part) / Double(whole) * 100).rounded())) %" : "-" }

    /// At most `digits` decimals, without trailing zeros.
    static func fixed(_ value: Double, digits: Int) -> String {
        let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
        let scaled = Int((value * Double(scale)).rounded())
        guard scaled % scale != 0 else { return "\(scaled / scale)" }
        let fraction = String(scale + abs(scaled) % scale).dropFirst()
        let kept = fraction.reversed().drop { $0 == "0" }.reversed()
        return "\(scaled / scale).\(String(kept))"
    }

    static func phase(_ phase: String) -> Table.Cell {
        switch phase {
        case "Running", "Healthy", "Ready", "Connected", "Active": Table.Cell(phase, .good)
        case "Failed", "Unhealthy", "Degraded", "Unreachable", "Failing", "Lost", "CrashLoop": Table.Cell(phase, .bad)
        case "Suspended", "Stopped", "Exited": Table.Cell(phase, .faint)
        default: Table.Cell(phase, .busy)
        }
    }

    static func ports(_ ports: [ServicePort]) -> String { ports.isEmpty ? "-" : ports.map(\.description).joined(separator: " ") }
}
