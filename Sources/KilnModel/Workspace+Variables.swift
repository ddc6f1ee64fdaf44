extension Workspace {
    /// What Kiln itself sets for every program of a workspace, and how to have what somebody may want of it. With other values programs, the shell
    /// among them, are not found.
    private static let own = [
        "PATH": "Add programs by kl pkg add, or extend PATH in ~/.profile.", "HOME": "In a workspace it is /home/dev.",
        "USER": "In a workspace it is dev.", "LOGNAME": "In a workspace it is dev.", "KILN_WORKSPACE": "In a workspace it is its name.",
    ]

    /// - Throws: `invalid-value` for a variable that is Kiln's own.
    public static func check(_ variables: [EnvironmentVariable]) throws(KilnError) {
        for variable in variables {
            if let hint = own[variable.key] {
                throw KilnError(.invalidValue, "\(variable.key) is set by Kiln in every workspace, and cannot be given another value.", hint: hint)
            }
        }
    }
}
