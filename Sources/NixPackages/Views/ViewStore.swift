import FileWork
import FoundationEssentials
import Glibc
import KilnModel

/// The views of an instance on disk: `WORKSPACE/profile`, a link to the generation that the workspace sees, and `WORKSPACE/generations/N`.
///
/// The workspace's folder is what is mounted into it, read-only, so that the link can be another one at any moment and everything open stays
/// what it was.
struct ViewStore: Sendable {
    /// What a generation shows, written into it as `packages.json`.
    struct Manifest: Codable, Sendable, Equatable {
        var generation: Int
        var packages: [LockedPackage]
        var installed: [InstalledPackage]
    }

    let directory: String

    func path(of workspace: ResourceID) -> String { "\(directory)/\(workspace)" }

    /// Makes a workspace's folder, showing nothing yet, unless it is there.
    /// - Returns: the directory to mount.
    func prepare(_ workspace: ResourceID) throws(KilnError) -> String {
        let path = path(of: workspace)
        if TrustedFiles.destination("\(path)/profile") != nil { return path }
        try TrustedFiles.makeDirectories("\(path)/generations/0/bin", mode: 0o755)
        try TrustedFiles.link("\(path)/profile", to: "generations/0")
        return path
    }

    /// What the workspace sees; nil when it never saw any package.
    func current(of workspace: ResourceID) throws(KilnError) -> Manifest? {
        guard let bytes = try TrustedFiles.read("\(path(of: workspace))/profile/packages.json") else { return nil }
        // One that cannot be read is as good as none: it is made again.
        return try? JSONDecoder().decode(Manifest.self, from: Data(bytes))
    }

    /// Writes a generation and shows it in one step.
    func show(_ plan: ViewPlan, _ manifest: Manifest, to workspace: ResourceID) throws {
        let path = try prepare(workspace)
        let old = TrustedFiles.destination("\(path)/profile") ?? ""
        let fresh = "\(path)/new"
        try TrustedFiles.remove(fresh)
        try write(plan, manifest, to: fresh)
        let place = try free(manifest.generation, below: path, notBeing: old)
        guard rename(fresh, "\(path)/\(place)") == 0 else { throw TrustedFiles.failure("show generation \(manifest.generation)") }
        try TrustedFiles.link("\(path)/profile", to: place)
        // A shell that looks something up this very moment may still be in the one before.
        for name in try TrustedFiles.list("\(path)/generations") where !["generations/\(name)", name].contains(where: { [old, place].contains($0) }) {
            try TrustedFiles.remove("\(path)/generations/\(name)")
        }
    }

    private func write(_ plan: ViewPlan, _ manifest: Manifest, to folder: String) throws {
        try TrustedFiles.makeDirectories(folder, mode: 0o755)
        for directory in plan.directories { try TrustedFiles.makeDirectories("\(folder)/\(directory)", mode: 0o755) }
        for (path, target) in plan.links { try TrustedFiles.link("\(folder)/\(path)", to: target) }
        // In the PATH, empty or not.
        if !TrustedFiles.exists("\(folder)/bin") { try TrustedFiles.makeDirectories("\(folder)/bin", mode: 0o755) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try TrustedFiles.replace("\(folder)/packages.json", with: Array(try encoder.encode(manifest)))
    }

    /// Where a generation can be put: `generations/N`, or `generations/N.K` when the one being seen has that name.
    private func free(_ generation: Int, below path: String, notBeing old: String) throws(KilnError) -> String {
        var place = "generations/\(generation)"
        var attempt = 0
        while place == old {
            attempt += 1
            place = "generations/\(generation).\(attempt)"
        }
        try TrustedFiles.remove("\(path)/\(place)")
        return place
    }

    func workspaces() throws(KilnError) -> [ResourceID] { try TrustedFiles.list(directory).compactMap { try? ResourceID($0) } }

    func remove(_ workspace: ResourceID) throws(KilnError) { try TrustedFiles.remove(path(of: workspace)) }
}
