import KilnModel

extension PackageIndex {
    /// How well a package answers a search; less is better. Comparable across indexes.
    struct Rank: Hashable, Comparable {
        /// The place of the word that was found in the worst one, the sum of the places of all words, and the length of the name: of two names
        /// that begin with a word the shorter one is nearer to it.
        private let value: UInt32

        init(places: [SearchTerm.Place], nameLength: Int) {
            let worst = places.max() ?? .wholeName
            let sum = places.reduce(0) { $0 + UInt32($1.rawValue) }
            value = UInt32(worst.rawValue) << 24 | min(sum, 0xffff) << 8 | UInt32(min(nameLength, 0xff))
        }

        fileprivate init(value: UInt32) { self.value = value }

        static func < (lhs: Rank, rhs: Rank) -> Bool { lhs.value < rhs.value }

        /// Sorts by rank, then by the offset in the file, which is the order of names.
        fileprivate func key(offset: Int) -> UInt64 { UInt64(value) << 32 | UInt64(offset) }
    }

    struct Match {
        var rank: Rank
        var entry: Entry
    }

    /// The packages in whose name or summary every word of the query occurs, the best ones first: first those of that name, then those whose name
    /// begins with it, has it as a word, has it anywhere, then those whose summary has it.
    /// - Throws: `KilnError` with `index-unusable`.
    func matches(_ query: PackageQuery) throws(KilnError) -> [Match] {
        let terms = SearchTerm.terms(of: query.text)
        guard !terms.isEmpty else { return [] }
        return try read { lines throws(KilnError) in
            let keys = try keys(of: lines, terms).sorted()
            var found: [Match] = []
            for key in keys.prefix(query.limit) {
                let start = Int(key & 0xffff_ffff)
                let line = Substring(decoding: lines.text[start..<lines.endOfLine(from: start)], as: UTF8.self)
                found.append(Match(rank: Rank(value: UInt32(key >> 32)), entry: try entry(line)))
            }
            return found
        }
    }

    /// A key of `Rank.key` for each line that matches.
    private func keys(of lines: SortedLines, _ terms: [SearchTerm]) throws(KilnError) -> [UInt64] {
        var keys: [UInt64] = []
        var broken: Substring?
        var places: [SearchTerm.Place] = []
        lines.forEach { start, end in
            guard let nameEnd = lines.position(of: SortedLines.tab, from: start, to: end),
                let versionEnd = lines.position(of: SortedLines.tab, from: nameEnd + 1, to: end)
            else {
                broken = Substring(decoding: lines.text[start..<end], as: UTF8.self)
                return
            }
            places.removeAll(keepingCapacity: true)
            for term in terms {
                guard let place = term.place(in: lines.text, name: start..<nameEnd, summary: (versionEnd + 1)..<end) else { return }
                places.append(place)
            }
            keys.append(Rank(places: places, nameLength: nameEnd - start).key(offset: start))
        }
        if let broken { _ = try entry(broken) }
        return keys
    }
}
