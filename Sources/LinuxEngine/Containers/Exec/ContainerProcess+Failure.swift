import FoundationEssentials
public import KilnModel

extension KilnError.Code {
    /// A file that is there but cannot be run.
    public static let commandNotExecutable = Self("command-not-executable", .failed)
}

extension ContainerProcess {
    static let notRunning = KilnError(.wrongPhase, "The container is not running.")

    /// Why the runtime did not start a program, from its log: a JSON object a line.
    static func failure(log: String, status: Int) -> KilnError {
        struct Line: Decodable { var msg: String }
        let lines = log.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)).msg }
        let message = lines.last ?? ""
        let lower = message.lowercased()
        if lower.contains("not found in $path") || (lower.contains("exec: ") && lower.contains("no such file")) {
            return KilnError(.commandNotFound, "\(quoted(in: message) ?? "The command"): command not found.")
        }
        let isRefused = lower.contains("exec: ") && lower.contains("permission denied")
        if isRefused || lower.contains("open executable") || lower.contains("exec format error") {
            return KilnError(.commandNotExecutable, "The command cannot be run: \(message.printable(limit: 300)).")
        }
        if lower.contains("is not running") || lower.contains("/status`") || lower.contains("does not exist") || lower.contains("has stopped") {
            return notRunning
        }
        if lower.contains("chdir") {
            return KilnError(.engineFailed, "The working directory cannot be entered: \(message.printable(limit: 300)).")
        }
        let detail = message.isEmpty ? "its runtime ended with status \(status)" : message.printable(limit: 500)
        return KilnError(.engineFailed, "The program could not be started: \(detail).")
    }

    /// The first part between quotes or backticks.
    private static func quoted(in message: String) -> String? {
        let parts = message.split(separator: "`", omittingEmptySubsequences: false)
        if parts.count > 2 { return String(parts[1]) }
        let quotes = message.split(separator: "\"", omittingEmptySubsequences: false)
        return quotes.count > 2 ? String(quotes[1]) : nil
    }
}
