import CommandRunner
import FileWork
import FoundationEssentials
import KilnModel

/// Fetches files by curl, which knows proxies, certificates and netrc files as the host's administrator set them up.
struct FileFetcher: Sendable {
    var runner: any CommandRunner
    /// Path of a netrc file (netrc(5)).
    var netrc: String?

    enum Outcome: Hashable { case fetched, unchanged }

    /// Why there is no file.
    enum Failure: Error, CustomStringConvertible {
        case notFound(FileAddress)
        case refused(FileAddress, status: Int)
        case unreachable(FileAddress, String)

        var description: String {
            switch self {
            case .notFound(let address): "there is no \(address)"
            case .refused(let address, let status): "\(address) answered with status \(status)"
            case .unreachable(let address, let cause): "\(address) cannot be reached: \(cause)"
            }
        }
    }

    /// Fetches what is at `address` with `query` behind it, and puts it at `path` in one step.
    /// - Parameters:
    ///   - query: escaped here.
    ///   - tag: path of a file that remembers the server's ETag: while it is there an unchanged file is not fetched again.
    ///   - limit: the most bytes wanted.
    /// - Throws: `Failure`, or `KilnError` when curl is missing or the disk is full.
    @discardableResult
    func fetch(
        _ address: FileAddress, query: [(String, String)] = [], to path: String, tag: String? = nil, limit: Int, timeout: Duration = .seconds(60)
    ) async throws -> Outcome {
        if let source = address.path { return try copy(source, to: path, of: address, limit: limit) }
        let partial = path + ".part"
        defer { try? TrustedFiles.remove(partial) }
        var arguments = [
            "--disable", "--globoff", "--silent", "--show-error", "--fail", "--location", "--max-redirs", "5", "--compressed",
            "--proto", "=https,http", "--proto-redir", address.value.hasPrefix("https:") ? "=https" : "=https,http", "--connect-timeout", "5",
            "--retry", "1", "--max-filesize", "\(limit)", "--user-agent", "kiln", "--output", partial, "--write-out", "%{http_code}",
        ]
        if let netrc { arguments += ["--netrc-file", netrc] }
        if let tag, TrustedFiles.exists(tag) { arguments += ["--etag-compare", tag] }
        if let tag { arguments += ["--etag-save", tag + ".new"] }
        let text = query.isEmpty ? "" : "?" + query.map { "\(Self.escape($0.0))=\(Self.escape($0.1))" }.joined(separator: "&")
        let result: CommandResult
        do {
            result = try await runner.run(Command("curl", arguments + ["--url", address.value + text], timeout: timeout, outputLimit: 1 << 16))
        } catch let error as CommandError where error.code == .notFound {
            throw KilnError(.engineUnavailable, "curl is not installed on this host.", hint: "apt-get install curl, or run make up again.")
        } catch let error as CommandError {
            throw Failure.unreachable(address, error.message)
        }
        try check(result, of: address)
        let isUnchanged = result.outputText == "304"
        if !isUnchanged { try TrustedFiles.move(partial, to: path) }
        // Only now: a tag without the file that it belongs to would keep the next fetch from being done.
        if let tag, TrustedFiles.exists(tag + ".new") { try TrustedFiles.move(tag + ".new", to: tag) }
        return isUnchanged ? .unchanged : .fetched
    }

    private func check(_ result: CommandResult, of address: FileAddress) throws {
        guard result.status != 0 else { return }
        // curl(1), EXIT CODES: 22 is a status of 400 and above, 23 a write that failed, 63 a file larger than wanted.
        switch (result.status, Int(result.outputText) ?? 0) {
        case (22, 404), (22, 410): throw Failure.notFound(address)
        case (22, let status): throw Failure.refused(address, status: status)
        case (23, _): throw KilnError(.diskFull, "\(address) cannot be written to the disk.", hint: "Free some space on the disk.")
        default:
            let cause = result.errorText.split(separator: "\n").last.map(String.init) ?? "curl ended with status \(result.status)"
            throw Failure.unreachable(address, cause.printable())
        }
    }

    private func copy(_ source: String, to path: String, of address: FileAddress, limit: Int) throws -> Outcome {
        guard let bytes = try TrustedFiles.read(source) else { throw Failure.notFound(address) }
        guard bytes.count <= limit else { throw Failure.unreachable(address, "it is larger than \(limit) bytes") }
        try TrustedFiles.replace(path, with: bytes)
        return .fetched
    }

    /// RFC 3986: all but unreserved characters as %XX.
    static func escape(_ text: String) -> String {
        text.utf8.map { byte in
            if byte.isLetterOrDigit || "-._~".utf8.contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
        }.joined()
    }
}
