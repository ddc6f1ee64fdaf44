internal import HTTPTypes
internal import KilnAPI
internal import KilnModel

/// What a route takes and answers. `/api/openapi.json` is made of these and of nothing else.
struct RouteDescription: Sendable {
    /// What a body holds.
    enum Content: Sendable {
        case json(any (Decodable & Sendable).Type)
        /// A media type whose every line or event is JSON of a type.
        case stream(String, of: any (Decodable & Sendable).Type)
        /// Bytes of a media type, and what they are.
        case bytes(String, String)
    }

    /// An answer that is no problem: those look alike everywhere.
    struct Answer: Sendable {
        var status: Int
        var meaning: String
        var content: Content?

        /// Whether it comes with an ETag.
        var hasTag: Bool {
            if case .json(let type)? = content { type is any Resource.Type } else { status == Self.notModified.status }
        }

        static func ok(_ type: any (Decodable & Sendable).Type) -> Answer { Answer(status: 200, meaning: "As asked for.", content: .json(type)) }
        static func ok(_ content: Content) -> Answer { Answer(status: 200, meaning: "As asked for.", content: content) }
        static func created(_ type: any (Decodable & Sendable).Type) -> Answer {
            Answer(status: 201, meaning: "Made; what is meant to become of it will.", content: .json(type))
        }
        static func accepted(_ type: any (Decodable & Sendable).Type) -> Answer {
            Answer(status: 202, meaning: "Noted; it is being made true.", content: .json(type))
        }
        static let notModified = Answer(status: 304, meaning: "It is as If-None-Match says.")
        static func empty(_ status: Int, _ meaning: String) -> Answer { Answer(status: status, meaning: meaning) }
    }

    /// Something in the query or a header.
    struct Parameter: Sendable {
        var name: String
        var meaning: String
        var type: any (Decodable & Sendable).Type
        var isHeader = false
        var isRequired = false
        var isRepeatable = false

        init(
            _ name: String, _ meaning: String, _ type: any (Decodable & Sendable).Type = String.self, isHeader: Bool = false,
            isRequired: Bool = false, isRepeatable: Bool = false
        ) {
            self.name = name
            self.meaning = meaning
            self.type = type
            self.isHeader = isHeader
            self.isRequired = isRequired
            self.isRepeatable = isRepeatable
        }

        static let owner = Parameter("owner", "Whose it is; default: the caller's.", Name.self)
        static let ifMatch = Parameter(
            "If-Match", "The ETag of what is to be changed; another version is refused with stale-version.", isHeader: true)
        static let ifNoneMatch = Parameter(
            "If-None-Match", "The ETag of what is known already: unless it has changed, the answer is 304.", isHeader: true)
        static let prefer = Parameter(
            "Prefer", "wait=SECONDS: answer when what is asked for has come about or failed, or the time, five seconds at most, is over.",
            isHeader: true)
    }

    /// Its name for programs: `createWorkspace`.
    var id: String
    var summary: String
    var parameters: [Parameter]
    var body: Content?
    var answers: [Answer]
    /// Whether it honours `If-Match`.
    var isConditional: Bool
    /// Whether it changes nothing, whatever its method: only requests that change something are audited.
    var isReading: Bool

    init(
        _ id: String, _ summary: String, _ parameters: Parameter..., body: Content? = nil, answers: Answer..., isConditional: Bool = false,
        isReading: Bool = false
    ) {
        self.id = id
        self.summary = summary
        self.parameters = parameters + (isConditional ? [.ifMatch] : [])
        self.body = body
        self.answers = answers
        self.isConditional = isConditional
        self.isReading = isReading
    }

    /// What a change through it is answered with: other answers than 201 and the highest mean that nothing was done.
    func statusOfChange(creating: Bool) -> Int {
        let statuses = answers.map(\.status)
        if creating, statuses.contains(201) { return 201 }
        return statuses.filter { $0 != 201 }.max() ?? 201
    }

    func takes(_ parameter: String) -> Bool { parameters.contains { $0.name == parameter } }

    /// Whether it is answered with a resource that has yet to become what was asked for.
    var promises: Bool {
        answers.contains { answer in
            guard [201, 202].contains(answer.status), case .json(let type)? = answer.content else { return false }
            return type is any Resource.Type
        }
    }

    /// Whether its body is JSON of a type.
    func takes(body type: Any.Type) -> Bool {
        if case .json(let described)? = body { ObjectIdentifier(described) == ObjectIdentifier(type) } else { false }
    }
}
