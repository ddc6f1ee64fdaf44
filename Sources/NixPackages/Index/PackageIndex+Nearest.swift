import KilnModel

extension PackageIndex {
    /// A name that may be the one somebody meant.
    struct Neighbour: Hashable, Comparable {
        /// Less is nearer.
        var distance: Int
        var name: PackageName

        static func < (lhs: Neighbour, rhs: Neighbour) -> Bool {
            (lhs.distance, lhs.name.value.utf8.count, lhs.name) < (rhs.distance, rhs.name.value.utf8.count, rhs.name)
        }
    }

    /// The names nearest to `name`, the nearest first: those that a slip of the keys makes of it, those that go on where it ends, and those that
    /// it goes on from (`nodejs-lts` from `nodejs`).
    /// - Throws: `KilnError` with `index-unusable`.
    func neighbours(of name: PackageName, limit: Int) throws(KilnError) -> [Neighbour] {
        let word = name.value.utf8.map(\.inLowerCase)
        let slips = word.count < 4 ? 1 : word.count < 8 ? 2 : 3
        return try read { lines throws(KilnError) in
            var measure = EditDistance(to: word)
            var found: [(distance: Int, start: Int, end: Int)] = []
            lines.forEach { start, end in
                let nameEnd = lines.position(of: SortedLines.tab, from: start, to: end) ?? end
                let candidate = UnsafeRawBufferPointer(rebasing: lines.text[start..<nameEnd])
                // A word that goes on is farther than one slip, nearer than two.
                let slip = measure.distance(to: candidate, limit: slips).map { 2 * $0 }
                let distance = [slip, Self.continuation(of: word, to: candidate)].compactMap(\.self).min()
                if let distance { found.append((distance, start, end)) }
            }
            var neighbours: [Neighbour] = []
            for candidate in found {
                let line = Substring(decoding: lines.text[candidate.start..<candidate.end], as: UTF8.self)
                neighbours.append(Neighbour(distance: candidate.distance, name: try entry(line).name))
            }
            return Array(neighbours.sorted().prefix(limit))
        }
    }

    /// 3 when `candidate` goes on with another word where `word` ends, 5 the other way round; nil: neither.
    private static func continuation(of word: [UInt8], to candidate: UnsafeRawBufferPointer) -> Int? {
        let shorter = min(candidate.count, word.count)
        guard shorter >= 2, candidate.count != word.count, (0..<shorter).allSatisfy({ candidate[$0].inLowerCase == word[$0] }) else { return nil }
        let next = candidate.count > shorter ? candidate[shorter] : word[shorter]
        guard !next.isLetter || !word[shorter - 1].isLetter else { return nil }
        return candidate.count > shorter ? 3 : 5
    }
}

extension UInt8 {
    fileprivate var isLetter: Bool { (97...122).contains(inLowerCase) }
}
