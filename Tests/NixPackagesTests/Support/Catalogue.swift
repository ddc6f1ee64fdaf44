import KilnModel

@testable import NixPackages

/// Generates numbers from a seed, so that a failure can be had again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    /// splitmix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Packages with names and summaries made of words, as catalogues of tens of thousands look.
enum Catalogue {
    static let words = [
        "json", "lib", "python3", "node", "go", "perl", "ruby", "data", "tools", "dev", "server", "client", "utils", "parser", "core", "Xorg",
        "http", "sql", "ml", "cli", "GTK", "qt", "font", "doc", "common", "extra", "plugin", "image", "audio", "video", "net", "db", "crypto",
    ]

    static func entries(count: Int, seed: UInt64 = 1) throws -> [PackageIndex.Entry] {
        var random = SeededGenerator(seed: seed)
        func word(_ random: inout SeededGenerator) -> String { words[Int.random(in: 0..<words.count, using: &random)] }
        return try (0..<count).map { number in
            let name = (0..<Int.random(in: 1...3, using: &random)).map { _ in word(&random) }.joined(separator: "-") + "\(number)"
            let summary = (0..<Int.random(in: 3...9, using: &random)).map { _ in word(&random) }.joined(separator: " ")
            return PackageIndex.Entry(
                name: try PackageName(name), version: try PackageVersion("\(number % 20).\(number % 7)-1"), summary: summary)
        }
    }
}
