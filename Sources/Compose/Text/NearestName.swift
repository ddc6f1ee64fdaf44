/// Finds what somebody may have meant.
enum NearestName {
    /// The candidate that takes the fewest slips (a letter wrong, missing, added, or swapped with its neighbour), if they are few.
    static func of(_ text: String, among candidates: [String]) -> String? {
        let typed = Array(text.lowercased().utf8).map { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: " ") ? UInt8(ascii: "_") : $0 }
        guard (2...64).contains(typed.count) else { return nil }
        let allowed = typed.count <= 4 ? 1 : 2
        var best: (name: String, slips: Int)?
        for candidate in candidates {
            let slips = slips(typed, Array(candidate.utf8))
            if slips <= allowed, slips < best?.slips ?? .max { best = (candidate, slips) }
        }
        return best?.name
    }

    /// Edit distance in the “optimal string alignment” form.
    private static func slips(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { rows[i][0] = i }
        for j in 0...b.count { rows[0][j] = j }
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        for i in 1...a.count {
            for j in 1...b.count {
                let change = a[i - 1] == b[j - 1] ? 0 : 1
                rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + change)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
                }
            }
        }
        return rows[a.count][b.count]
    }
}
