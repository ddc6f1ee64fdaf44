import KilnModel

extension Reading {
    /// A `healthcheck`; nil leaves the image's own, an empty command switches it off.
    /// - Returns: the check, and which of its keys were given.
    func healthcheck(_ node: YAMLNode) -> (check: Service.Healthcheck?, keys: Set<String>) {
        guard !node.isNull, let entries = entries(node, "“healthcheck”") else { return (nil, []) }
        // Without a test of its own the image's is run.
        var check = Service.Healthcheck(command: [], usesImage: true)
        var keys: Set<String> = []
        var isDisabled = false
        for entry in entries where !entry.value.isNull {
            let value = entry.value
            keys.insert(entry.key)
            switch entry.key {
            case "test":
                check.command = test(value) ?? []
                check.usesImage = false
            case "interval": check.interval = span(value, entry.key) ?? check.interval
            case "timeout": check.timeout = span(value, entry.key) ?? check.timeout
            case "start_period": check.startPeriod = span(value, entry.key, mayBeZero: true) ?? check.startPeriod
            case "start_interval": check.startInterval = span(value, entry.key)
            case "retries": check.retries = retries(value) ?? check.retries
            case "disable": isDisabled = flag(value, "“disable”") ?? false
            default: refuseUnknown(entry, in: "“healthcheck”", among: .healthcheck)
            }
        }
        if isDisabled { return (Service.Healthcheck(command: []), ["disable"]) }
        if check.usesImage { check.imageTimes = Service.Healthcheck.Time.allCases.filter { !keys.contains($0.rawValue) } }
        let known = keys.intersection(KnownKeys.healthcheck.supported).subtracting(["disable"])
        return known.isEmpty ? (nil, []) : (check, known)
    }

    private static let testHint = "Write a text for a shell, or [CMD, program, arguments…], [CMD-SHELL, text] or [NONE]."

    /// The program to run; empty for `NONE`.
    private func test(_ node: YAMLNode) -> [String]? {
        guard case .sequence = node.content else { return filledText(node, "“test”").map(Self.shell) }
        guard let words = texts(node, "“test”") else { return nil }
        switch (words.first, words.count) {
        case ("NONE", 1): return []
        case ("CMD", 2...): return Array(words.dropFirst())
        case ("CMD-SHELL", 2): return Self.shell(words[1])
        default:
            refuse(node.position, "The list in “test” is not a check.", hint: Self.testHint)
            return nil
        }
    }

    private static func shell(_ text: String) -> [String] { ["/bin/sh", "-c", text] }

    func span(_ node: YAMLNode, _ key: String, mayBeZero: Bool = false) -> Double? {
        guard let text = filledText(node, "“\(key)”") else { return nil }
        guard let seconds = ComposeDuration.seconds(text), seconds > 0 || mayBeZero else {
            refuse(node.position, "“\(text.printable(limit: 40))” is not a time for “\(key)”.", hint: "Write it like 500ms, 10s or 1m30s.")
            return nil
        }
        return seconds
    }

    private func retries(_ node: YAMLNode) -> Int? {
        guard let text = filledText(node, "“retries”") else { return nil }
        guard let count = Self.number(text), count > 0 else {
            refuse(node.position, "“\(text.printable(limit: 40))” is not a number of “retries”.", hint: "Use a whole number from 1.")
            return nil
        }
        return count
    }
}
