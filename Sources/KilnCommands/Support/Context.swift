internal import KilnAPI
public import KilnModel

/// What a verb may touch: passed down, never global.
public struct Context: Sendable {
    /// The process's environment variables.
    public let environment: [String: String]
    public let output: Output
    public let input: Input
    /// Exists only inside a workspace.
    public let workspaceSocket: String
    public let now: @Sendable () -> Timestamp

    public init(
        environment: [String: String], output: Output, input: Input, workspaceSocket: String = "/run/kiln/kl.sock",
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.environment = environment
        self.output = output
        self.input = input
        self.workspaceSocket = workspaceSocket
        self.now = now
    }

    /// How to reach kilnd from here.
    func access() throws(KilnError) -> Access { try Access(environment: environment, workspaceSocket: workspaceSocket) }

    /// Runs `body` with a client of kilnd, closed afterwards.
    /// - Parameter wait: of a verb that waits for what it asks for: most of it has come about within a second, and then the answer says so.
    func withClient<Value>(_ wait: WaitOptions? = nil, _ body: (APIClient) async throws -> Value) async throws -> Value {
        let access = try access()
        var client = APIClient(endpoint: access.endpoint, token: access.token)
        if let wait, !wait.noWait { client.patience = 1 }
        do {
            let value = try await body(client)
            await client.close()
            return value
        } catch {
            await client.close()
            throw error
        }
    }

    /// Makes sure, before anything else is done, that a later question can be answered.
    /// - Throws: `KilnError` when nobody is there to answer (exit 2).
    func checkCanAsk(_ options: CommonOptions) throws(KilnError) {
        guard options.yes || input.ask != nil else {
            throw KilnError(.needsAnswer, "This asks before it acts, and there is no terminal to answer at.", hint: "Add --yes.")
        }
    }

    /// Asks before `deed` is done.
    /// - Throws: `KilnError` when the answer is no.
    func confirm(_ deed: String, _ options: CommonOptions) throws(KilnError) {
        guard !options.yes, let ask = input.ask else { return try checkCanAsk(options) }
        let answer = ask("\(deed)? [y/N] ")?.lowercased()
        guard answer == "y" || answer == "yes" else { throw KilnError(.declined, "Nothing was done.") }
    }
}

/// Where questions are answered and programs' input comes from.
public struct Input: Sendable {
    public let descriptor: Int32
    /// Prints a question, gives the line typed; nil when there is no terminal.
    public let ask: (@Sendable (String) -> String?)?
    /// The same for what nobody else is to see: what is typed is not shown.
    public let askHidden: (@Sendable (String) -> String?)?

    /// - Parameter askHidden: nil: as `ask`.
    public init(descriptor: Int32, ask: (@Sendable (String) -> String?)?, askHidden: (@Sendable (String) -> String?)? = nil) {
        self.descriptor = descriptor
        self.ask = ask
        self.askHidden = askHidden ?? ask
    }
}

extension KilnError.Code {
    static let needsAnswer = Self("needs-answer", .usage)
    static let unknownCommand = Self("unknown-command", .usage)
    static let declined = Self("declined", .failed)
    static let invalidConfiguration = Self("invalid-configuration", .failed)
    static let invalidFile = Self("invalid-file", .failed)
}
