/// Rows with aligned columns, for people.
struct Table: Equatable {
    struct Cell: Equatable, ExpressibleByStringInterpolation {
        var text: String
        var style = Style.plain

        init(_ text: String, _ style: Style = .plain) {
            self.text = text
            self.style = style
        }

        init(stringLiteral text: String) { self.init(text) }
    }

    /// What a text means; decides its colour on a terminal.
    enum Style { case plain, heading, good, busy, bad, faint }

    /// nil: a list of facts, each row a label and its value.
    var header: [String]?
    var rows: [[Cell]] = []

    /// Columns two spaces apart, nothing after the last one.
    func rendered(colours: Bool) -> String {
        let heading = header.map { [$0.map { Cell($0, .heading) }] } ?? []
        let all = heading + rows
        let columns = all.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in all.map { $0.count > column ? $0[column].text.count : 0 }.max() ?? 0 }
        return all.map { row in
            let cells = row.enumerated().map { column, cell in
                let text = colours ? cell.style.paint(cell.text) : cell.text
                return column == row.count - 1 ? text : text + String(repeating: " ", count: widths[column] - cell.text.count)
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }

    /// A list of facts.
    static func facts(_ facts: [(String, Cell)]) -> Table {
        Table(header: nil, rows: facts.map { [Cell($0.0, .faint), $0.1] })
    }
}

extension Table.Style {
    /// `text` in this style's colour (ECMA-48 SGR).
    func paint(_ text: String) -> String {
        let code: Int? =
            switch self {
            case .plain: nil
            case .heading: 1
            case .good: 32
            case .busy: 33
            case .bad: 31
            case .faint: 2
            }
        return code.map { "\u{1B}[\($0)m\(text)\u{1B}[0m" } ?? text
    }
}
