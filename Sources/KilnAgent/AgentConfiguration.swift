import Glibc
public import KilnModel

/// What kiln-agent is told at its start.
public struct AgentConfiguration: Sendable {
    public var instance: Instance
    /// The user kilnd runs as; whoever listens on the socket must be that user.
    public var peerUser: String
    public var stateDirectory: String
    public var runtimeDirectory: String
    /// Mounted read-only in every workspace; holds `kl`.
    public var toolsDirectory: String
    /// The rootfs tar of the workspace image, imported when it changed; nil: the image is expected to be there.
    public var baseImage: String?
    /// Says where packages come from; nothing there: from nowhere.
    public var packagesFile: String
    /// What makes store paths of Debian packages; `scripts/debian-builder` installs it.
    public var debianBuilder: String

    /// What is nil takes the instance's own.
    /// - Throws: `KilnError` for a name or slot that is not valid.
    public init(
        instance: String, slot: Int, peerUser: String = "kiln", stateDirectory: String? = nil, runtimeDirectory: String? = nil,
        toolsDirectory: String? = nil, baseImage: String? = nil, packagesFile: String? = nil, debianBuilder: String? = nil
    ) throws {
        self.instance = try Instance(name: Name(instance), slot: slot)
        self.peerUser = peerUser
        self.stateDirectory = stateDirectory ?? self.instance.stateDirectory
        self.runtimeDirectory = runtimeDirectory ?? self.instance.runtimeDirectory
        self.toolsDirectory = toolsDirectory ?? "/usr/local/lib/\(self.instance.prefix)/tools"
        self.baseImage = baseImage
        self.packagesFile = packagesFile ?? "/etc/\(self.instance.prefix)/packages.json"
        self.debianBuilder = debianBuilder ?? "/usr/local/lib/\(self.instance.prefix)/debian"
    }

    /// The user id of `peerUser` on this host.
    func peerUserID() throws(KilnError) -> UInt32 {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var text = [CChar](repeating: 0, count: 1 << 14)
        guard getpwnam_r(peerUser, &entry, &text, text.count, &found) == 0, found != nil else {
            throw KilnError(.notFound, "There is no user “\(peerUser.printable(limit: 80))” on this host.", hint: "`make up` creates it.")
        }
        return entry.pw_uid
    }

    var socketsDirectory: String { "\(runtimeDirectory)/workspaces" }
    /// Where kilnd listens, as `Instance.agentSocket` but under `runtimeDirectory`.
    var agentSocket: String { "\(runtimeDirectory)/agent/agent.sock" }
}
