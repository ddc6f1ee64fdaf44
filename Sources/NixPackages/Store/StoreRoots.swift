import FileWork
import KilnModel

/// The garbage roots of an instance: a link for each store path and whoever needs it. What has one is never collected.
///
/// `machines/ID/workspaces/ID/HASH-NAME`, `machines/ID/released/HASH-NAME` and `pending/HASH-NAME`, all links into the store. What is there is
/// all that is known: no other record is kept.
struct StoreRoots: Sendable {
    /// Who needs a path.
    enum Holder: Hashable, Sendable {
        /// A workspace, for its list or one it can roll back to.
        case workspace(ResourceID, of: ResourceID)
        /// No workspace any more; files in the home of the machine may name it.
        case released(ResourceID)
        /// Made just now for somebody who is about to take it over.
        case pending
    }

    /// How the names of links begin that keep paths which are being made: for Nix they count, for us they do not yet.
    static let unfinished = ".making-"

    /// `/nix/var/nix/gcroots/PREFIX`
    let directory: String

    private func folder(of holder: Holder) -> String {
        switch holder {
        case .workspace(let workspace, let machine): "\(folder(ofWorkspacesOf: machine))/\(workspace)"
        case .released(let machine): "\(directory)/machines/\(machine)/released"
        case .pending: "\(directory)/pending"
        }
    }

    private func folder(ofWorkspacesOf machine: ResourceID) -> String { "\(directory)/machines/\(machine)/workspaces" }

    /// The link that keeps `path` for `holder`.
    func link(_ path: StorePath, for holder: Holder) -> String { "\(folder(of: holder))/\(path.baseName)" }

    /// Makes the folder that the holder's links lie in.
    func prepare(_ holder: Holder) throws(KilnError) { try TrustedFiles.makeDirectories(folder(of: holder), mode: 0o755) }

    func hold(_ path: StorePath, for holder: Holder) throws(KilnError) {
        try prepare(holder)
        try TrustedFiles.link(link(path, for: holder), to: path.value)
    }

    func release(_ path: StorePath, for holder: Holder) throws(KilnError) { try TrustedFiles.remove(link(path, for: holder)) }

    func holds(_ path: StorePath, for holder: Holder) -> Bool { TrustedFiles.destination(link(path, for: holder)) == path.value }

    func paths(of holder: Holder) throws(KilnError) -> Set<StorePath> {
        Set(try TrustedFiles.list(folder(of: holder)).compactMap { try? StorePath("\(StorePath.store)/\($0)") })
    }

    /// All that anybody needs, what is being made included.
    func paths() throws(KilnError) -> Set<StorePath> {
        var paths: Set<StorePath> = []
        for holder in try holders() {
            for name in try TrustedFiles.list(folder(of: holder)) {
                let name = name.hasPrefix(Self.unfinished) ? name.dropFirst(Self.unfinished.count) : name[...]
                if let path = try? StorePath("\(StorePath.store)/\(name)") { paths.insert(path) }
            }
        }
        return paths
    }

    /// Removes the links of what was being made. Nothing may be.
    func removeUnfinished() throws(KilnError) {
        let folder = folder(of: .pending)
        for name in try TrustedFiles.list(folder) where name.hasPrefix(Self.unfinished) { try TrustedFiles.remove("\(folder)/\(name)") }
    }

    func machines() throws(KilnError) -> [ResourceID] { try TrustedFiles.list("\(directory)/machines").compactMap { try? ResourceID($0) } }

    func workspaces(of machine: ResourceID) throws(KilnError) -> [ResourceID] {
        try TrustedFiles.list(folder(ofWorkspacesOf: machine)).compactMap { try? ResourceID($0) }
    }

    /// Everybody who needs anything.
    func holders() throws(KilnError) -> [Holder] {
        var holders: [Holder] = [.pending]
        for machine in try machines() {
            holders.append(.released(machine))
            holders += try workspaces(of: machine).map { .workspace($0, of: machine) }
        }
        return holders
    }

    /// Removes a workspace's links, handing what they kept to its machine.
    func removeWorkspace(_ workspace: ResourceID, of machine: ResourceID) throws(KilnError) {
        let holder = Holder.workspace(workspace, of: machine)
        for path in try paths(of: holder) { try hold(path, for: .released(machine)) }
        try TrustedFiles.remove(folder(of: holder))
    }

    func removeMachine(_ machine: ResourceID) throws(KilnError) { try TrustedFiles.remove("\(directory)/machines/\(machine)") }

    /// Removes all links of the instance.
    func purge() throws(KilnError) { try TrustedFiles.remove(directory) }
}
