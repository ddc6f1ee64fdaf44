/// What `list table` printed, as far as it matters here. Pure.
struct TableListing {
    /// Rules by chain.
    private(set) var ruleCounts: [String: Int] = [:]

    init(_ text: String) {
        var chain: String?
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.first == "chain", words.count == 3, words[2] == "{" {
                chain = String(words[1])
                ruleCounts[String(words[1])] = 0
            } else if words == ["}"] {
                chain = nil
            } else if let chain, words.first != "type" {
                ruleCounts[chain, default: 0] += 1
            }
        }
    }
}
