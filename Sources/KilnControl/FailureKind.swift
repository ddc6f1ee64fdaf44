internal import KilnModel

/// What a failure of an engine means for the next try. Pure.
enum FailureKind: Hashable {
    /// The engine is away or slow; says nothing about the resource.
    case unreachable
    /// It may pass: tried again, said after a few times.
    case passing
    /// It will fail again until somebody changes something.
    case lasting

    /// Failures in a row after which a passing failure is said.
    static let patience = 2

    init(_ error: KilnError) {
        switch error.code {
        case .engineUnavailable, .timedOut: self = .unreachable
        case .imageNotFound, .cloneFailed, .buildFailed, .invalidBuildContext, .noRoom: self = .lasting
        case .packageFailed, .packageNotFound, .versionNotFound, .untrustedSignature, .indexUnusable: self = .lasting
        default: self = error.code.category == .usage ? .lasting : .passing
        }
    }
}
