import FoundationEssentials
import KilnModel

/// A user of a container, by numbers as the container sees them.
public struct ContainerUser: Sendable, Hashable {
    public var uid: Int
    public var gid: Int
    /// Supplementary groups.
    public var groups: [Int]

    public init(uid: Int, gid: Int, groups: [Int] = []) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }

    public static let root = ContainerUser(uid: 0, gid: 0)
}

/// A program to run in a container that runs.
struct ExecRequest: Sendable, Hashable {
    /// 64 hex digits.
    var container: String
    var arguments: [String]
    /// nil: the user of the container's own program.
    var user: ContainerUser?
    /// nil: that of the container's own program.
    var workingDirectory: String?
    /// `KEY=VALUE` each; nil: that of the container's own program.
    var environment: [String]?
    var terminal: SessionRequest.TerminalSize?
}

/// The process of an OCI configuration, as `runtime exec --process` takes it.
struct ProcessDocument: Codable {
    struct User: Codable {
        var uid: Int
        var gid: Int
        var additionalGids: [Int]?
    }

    struct Size: Codable {
        var height: Int
        var width: Int
    }

    struct Limit: Codable {
        var type: String
        var soft: UInt64
        var hard: UInt64
    }

    var terminal: Bool?
    var consoleSize: Size?
    var user: User
    var args: [String]
    var env: [String]?
    var cwd: String
    var rlimits: [Limit]?
    var noNewPrivileges: Bool?

    /// What the container's own program was started with.
    /// - Parameter storageRoot: Podman's graph root.
    static func ofContainer(_ container: String, storageRoot: String) throws -> ProcessDocument {
        struct Configuration: Codable { var process: ProcessDocument }
        let path = "\(storageRoot)/overlay-containers/\(container)/userdata/config.json"
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw ContainerProcess.notRunning }
        return try JSONDecoder().decode(Configuration.self, from: data).process
    }

    init(_ request: ExecRequest, arguments: [String], limits: ProcessLimits, storageRoot: String) throws {
        let needsDefaults = request.user == nil || request.workingDirectory == nil || request.environment == nil
        let defaults = needsDefaults ? try Self.ofContainer(request.container, storageRoot: storageRoot) : nil
        terminal = request.terminal != nil
        consoleSize = request.terminal.map { Size(height: Int($0.rows), width: Int($0.columns)) }
        user =
            request.user.map { User(uid: $0.uid, gid: $0.gid, additionalGids: $0.groups.isEmpty ? nil : $0.groups) } ?? defaults?.user
            ?? User(uid: 0, gid: 0)
        args = arguments
        env = request.environment ?? defaults?.env ?? []
        cwd = request.workingDirectory ?? defaults?.cwd ?? "/"
        rlimits =
            defaults?.rlimits ?? [
                Limit(type: "RLIMIT_NOFILE", soft: limits.openFiles, hard: limits.openFiles),
                Limit(type: "RLIMIT_NPROC", soft: limits.processes, hard: limits.processes),
            ]
        // In a workspace sudo needs to gain privileges.
        noNewPrivileges = defaults?.noNewPrivileges ?? false
    }
}
