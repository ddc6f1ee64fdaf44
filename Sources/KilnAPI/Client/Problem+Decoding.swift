internal import FoundationEssentials
public import KilnModel

extension KilnError {
    /// The error that an answer stands for: its problem (RFC 9457) where it carries one, else what its status says.
    public init(status: Int, type: String?, body: [UInt8]) {
        // A problem that cannot be read is told like an error without one, text and all.
        if type?.hasPrefix("application/problem+json") == true, let problem = try? JSONDecoder().decode(Problem.self, from: Data(body)) {
            self = problem.error
            return
        }
        let text = String(decoding: body.prefix(400), as: UTF8.self).printable()
        let said = text.isEmpty ? "" : ": \(text)"
        let code: Code =
            switch status {
            case 400: .invalidValue
            case 401: .unauthenticated
            case 403: .notAllowed
            case 404: .notFound
            case 409: .staleVersion
            case 502, 503: .engineUnavailable
            case 504: .timedOut
            default: .internalError
            }
        self.init(code, "The server answered with status \(status)\(said).", hint: "See whether kilnd answers there: kl doctor")
    }
}
