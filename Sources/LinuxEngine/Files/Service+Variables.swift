import KilnModel
import WorkspaceEngine

extension Service {
    /// Its variables, those that hold secrets filled in.
    func variables(in target: EnvironmentTarget) throws -> [EnvironmentVariable] {
        guard !secretVariables.isEmpty else { return variables }
        let values = Dictionary(target.secrets.map { ($0.name, $0) }) { first, _ in first }
        return try variables
            + secretVariables.map { variable in
                let text = try variable.value.pieces.map { piece in
                    switch piece {
                    case .text(let text): return text
                    case .secret(let name):
                        guard let secret = values[name] else { throw KilnError.noSecret(name, environment: target.name) }
                        guard let text = String(validating: secret.value.bytes, as: UTF8.self), !text.utf8.contains(0) else {
                            throw KilnError(
                                .serviceFailed, "The secret \(name) is no text, so that the variable \(variable.key) cannot hold it.",
                                hint: "Mount it with “secrets” instead.")
                        }
                        return text
                    }
                }
                return try EnvironmentVariable(key: variable.key, value: text.joined())
            }
    }
}

extension KilnError {
    static func noSecret(_ name: SecretName, environment: Name) -> KilnError {
        KilnError(
            .init("secret-missing", .failed), "The secret \(name) is not set.", hint: "Set it: kl env secret set \(environment) \(name)")
    }
}
