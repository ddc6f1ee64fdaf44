extension KilnError {
    /// The environment has no service of that name; the hint says which it has.
    public static func noService(_ name: Name, in environment: Environment) -> KilnError {
        let names = environment.spec.services.map(\.name.value).joined(separator: ", ")
        return KilnError(
            .notFound, "The environment \(environment.metadata.name) has no service \(name).", hint: names.isEmpty ? nil : "It has \(names)."
        )
    }

    /// The workspace is connected to nothing.
    public static func notConnected(_ workspace: Name) -> KilnError {
        KilnError(
            .notConnected, "The workspace \(workspace) is not connected to an environment, so there is no service to intercept.",
            hint: "Connect it: kl env connect NAME --workspace \(workspace)"
        )
    }
}
