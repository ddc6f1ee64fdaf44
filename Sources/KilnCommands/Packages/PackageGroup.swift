internal import ArgumentParser
internal import KilnModel

struct PackageGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pkg", abstract: "Packages in a workspace's PATH, also in shells that are open.",
        subcommands: [
            PackageAdd.self, PackageRemove.self, PackageList.self, PackageSearch.self, PackageInfo.self, PackageUpdate.self, PackageRollback.self,
            PackageHistory.self, PackageWhy.self, PackageSync.self, PackageExport.self, PackageImport.self, PackageCollect.self,
        ],
        aliases: ["package", "p"]
    )
}

extension CompletionKind {
    /// Of the workspace's list.
    static let installedPackages = ofWorkspace("pkg list")
}
