import FileWork
import KilnModel
import LinuxNetwork
import NixPackages
public import WorkspaceEngine

extension LinuxEngine {
    /// Homes and volumes are never pruned: an inventory that lacks them may be the mistake, and only `remove` deletes data.
    public func prune(keeping inventory: Inventory) async throws {
        for container in try await containers.list(label: "\(Label.instance)=\(instance.prefix)") {
            if let reference = Label.reference(container.labels), inventory.contains(reference) { continue }
            logger.notice("removing a container that belongs to nothing", metadata: ["container": "\(container.name)"])
            try await removeContainer(named: container.name, grace: 0)
        }
        let present = try await network.inventory()
        for id in present.workspaces where !inventory.workspaces.contains(id) {
            await keeper.forget(id)
            try await network.removeWorkspace(id)
        }
        for id in present.environments where !inventory.environments.contains(id) { try await network.removeEnvironment(id) }
        for id in try names.environments() where !inventory.environments.contains(id) { try names.remove(environment: id) }
        for id in try sockets.workspaces() where !inventory.workspaces.contains(id) { try await sockets.close(id) }
        try packageHost.prune(keeping: inventory.workspaces, machines: inventory.workmachines)
        let names = Set(try await containers.list().map(\.name))
        for mount in try containers.sysfsMounts() where !names.contains(mount.name) { try mount.unmount() }
        for id in try folders.environmentsWithFiles() where !inventory.environments.contains(id) { try await folders.removeFiles(of: id) }
        for folder in ["files", "secrets"] {
            for name in try TrustedFiles.list("\(configuration.runtimeDirectory)/\(folder)") where !names.contains(name) {
                try files.remove(of: name)
            }
        }
        let files = "\(configuration.runtimeDirectory)/etc"
        for name in try TrustedFiles.list(files) where !names.contains(name) { try TrustedFiles.removeDirectory("\(files)/\(name)") }
    }

    /// Removes everything of an instance from the host, data included. No engine of it may be running. Done when nothing is there.
    public static func purge(_ configuration: Configuration) async throws {
        try await ContainerHost.purge(configuration.containers)
        try configuration.nameServers.purge()
        try await InstanceNetwork(instance: configuration.instance).purge()
        try configuration.files.secretsMount.remove()
        try PackageHost.purge(configuration.packages)
        try await configuration.folders.purge()
    }
}

extension Inventory {
    fileprivate func contains(_ reference: ResourceReference) -> Bool {
        switch reference.kind {
        case .workmachine: workmachines.contains(reference.id)
        case .workspace: workspaces.contains(reference.id)
        case .environment: environments.contains(reference.id)
        }
    }
}
