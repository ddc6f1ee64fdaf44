internal import KilnAPI
internal import KilnModel

/// One thing that `kl doctor` looked at.
struct Check: Encodable, Equatable {
    var name: String
    var ok: Bool
    /// What was found.
    var detail: String
    /// The command that mends it.
    var mend: String?

    init(name: String, ok: Bool, detail: String, mend: String? = nil) {
        self.name = name
        self.ok = ok
        self.detail = detail
        self.mend = mend
    }

    init(_ check: ServerCheck) { self.init(name: "kilnd's \(check.name)", ok: check.ok, detail: check.detail, mend: check.mend) }

    /// Runs `body`; what it returns is what was found, what it throws is what is wrong.
    static func run(_ name: String, _ body: () async throws -> String) async -> Check {
        do {
            return Check(name: name, ok: true, detail: try await body())
        } catch let error as KilnError {
            return Check(name: name, ok: false, detail: error.message, mend: error.hint)
        } catch {
            return Check(name: name, ok: false, detail: "\(error)")
        }
    }
}
