extension Service.RestartPolicy: ValidatedText {
    public var value: String {
        switch self {
        case .no: "no"
        case .always: "always"
        case .unlessStopped: "unless-stopped"
        case .onFailure(let maximum): maximum.map { "on-failure:\($0)" } ?? "on-failure"
        }
    }

    public init(_ text: String) throws(KilnError) {
        switch text {
        case "no": self = .no
        case "always": self = .always
        case "unless-stopped": self = .unlessStopped
        case "on-failure": self = .onFailure(maximumRetries: nil)
        default:
            let count = text.hasPrefix("on-failure:") ? text.dropFirst(11) : ""
            guard (1...9).contains(count.utf8.count), count.utf8.allSatisfy({ (48...57).contains($0) }), let maximum = Int(count) else {
                throw KilnError(
                    .invalidValue, "“\(text.printable(limit: 80))” is not a restart policy.",
                    hint: "Use \"no\", always, unless-stopped, on-failure or on-failure:N.")
            }
            self = .onFailure(maximumRetries: maximum > 0 ? maximum : nil)
        }
    }
}
