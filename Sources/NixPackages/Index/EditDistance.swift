/// How many letters have to be put in, left out, replaced or swapped with their neighbour to make one word of another (optimal string alignment).
struct EditDistance {
    private let word: [UInt8]
    /// The distances of the last three rows of the table, one after the other.
    private var rows: [Int]

    /// - Parameter word: in lower case.
    init(to word: [UInt8]) {
        self.word = word
        rows = [Int](repeating: 0, count: 3 * (word.count + 1))
    }

    /// The distance to `other`, taken in lower case; nil when it is more than `limit`.
    mutating func distance(to other: UnsafeRawBufferPointer, limit: Int) -> Int? {
        let width = word.count + 1
        guard abs(other.count - word.count) <= limit else { return nil }
        for column in 0..<width { rows[column] = column }
        var previous = UInt8(0)
        for row in 1..<(other.count + 1) {
            let letter = other[row - 1].inLowerCase
            let now = row % 3 * width
            let before = (row + 2) % 3 * width
            let earlier = (row + 1) % 3 * width
            rows[now] = row
            var least = row
            // Further from the diagonal no path can stay within the limit.
            for column in 1..<width {
                guard abs(column - row) <= limit else {
                    rows[now + column] = limit + 1
                    continue
                }
                var cost = min(rows[before + column], rows[now + column - 1]) + 1
                cost = min(cost, rows[before + column - 1] + (word[column - 1] == letter ? 0 : 1))
                if row > 1, column > 1, word[column - 1] == previous, word[column - 2] == letter {
                    cost = min(cost, rows[earlier + column - 2] + 1)
                }
                rows[now + column] = cost
                least = min(least, cost)
            }
            guard least <= limit else { return nil }
            previous = letter
        }
        let result = rows[other.count % 3 * width + word.count]
        return result <= limit ? result : nil
    }
}
