internal import KilnModel

/// `kl`'s exit codes.
enum ExitStatus {
    static let done: Int32 = 0
    static let usage: Int32 = 2
    /// What shells report for a program ended by SIGINT.
    static let interrupted: Int32 = 130

    static func of(_ category: KilnError.Category) -> Int32 {
        switch category {
        case .failed, .unavailable: 1
        case .usage: 2
        case .notFound: 3
        case .notAllowed, .unauthenticated: 4
        case .conflict: 5
        case .timedOut: 6
        }
    }
}

/// Ends `kl` with a status of its own and without a word: a program's exit status.
struct ProgramEnded: Error {
    let status: Int32
}

/// The wait was cut short from the keyboard.
struct Interrupted: Error {
    let message: String
}
