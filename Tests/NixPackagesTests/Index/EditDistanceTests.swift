import Testing

@testable import NixPackages

struct EditDistanceTests {
    private func distance(_ one: String, _ other: String, limit: Int = 9) -> Int? {
        var measure = EditDistance(to: Array(one.utf8))
        return Array(other.utf8).withUnsafeBytes { measure.distance(to: $0, limit: limit) }
    }

    @Test func `Each slip of the keys counts one`() {
        #expect(distance("nodejs", "nodejs") == 0)
        #expect(distance("nodejs", "NodeJS") == 0)
        #expect(distance("nodejs", "nodjs") == 1)
        #expect(distance("nodejs", "nodeejs") == 1)
        #expect(distance("nodejs", "nodexs") == 1)
        #expect(distance("nodejs", "ndoejs") == 1)
        #expect(distance("ca", "abc") == 3)
        #expect(distance("a", "") == 1)
        #expect(distance("nodejs", "python", limit: 3) == nil)
    }

    @Test func `A limit hides what is farther and changes nothing else`() {
        var random = SeededGenerator(seed: 4)
        func word() -> String { String((0..<Int.random(in: 1...8, using: &random)).map { _ in "abc".randomElement(using: &random)! }) }
        for _ in 0..<3000 {
            let (one, other) = (word(), word())
            let wanted = plainDistance(Array(one), Array(other))
            for limit in 0...8 { #expect(distance(one, other, limit: limit) == (wanted <= limit ? wanted : nil), "\(one) \(other) \(limit)") }
        }
    }

    /// The definition, with the whole table.
    private func plainDistance(_ a: [Character], _ b: [Character]) -> Int {
        var table = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { table[i][0] = i }
        for j in 0...b.count { table[0][j] = j }
        for i in 1...a.count {
            for j in 1...b.count {
                table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1) }
            }
        }
        return table[a.count][b.count]
    }
}
