import KilnModel
import PodmanClient

/// A container as it is now.
public struct ContainerState: Sendable, Hashable {
    public enum Phase: String, Sendable, Hashable { case created, running, exited }

    /// 64 hex digits.
    public var id: String
    public var name: String
    public var labels: [String: String]
    public var phase: Phase
    /// The host's id of its first process; 0 when it does not run.
    public var pid: Int
    /// Status of its last run.
    public var exitStatus: Int
}

extension ContainerHost {
    /// Makes a container and returns its id. Does not start it.
    /// - Throws: `KilnError`: `name-taken`, `image-not-found`, `engine-failed`, `engine-unavailable`.
    public func create(_ spec: ContainerSpec) async throws -> String {
        let staging = StagedMounts(container: spec.name, configuration: configuration)
        return try await asKilnError("make the container \(spec.name)") {
            // One of that name may be using its own.
            guard try await !client.containerExists(spec.name) else { throw KilnError(.nameTaken, "There is a container \(spec.name) already.") }
            try staging.unmount()
            try staging.mount(spec.mounts)
            do {
                return try await client.createContainer(spec.specification(cgroupParent: cgroups.parent, limits: limits, staging: staging))
            } catch {
                try staging.unmount()
                throw error
            }
        }
    }

    /// Starts a container; done when it runs already.
    /// - Throws: `KilnError`: `not-found`, `engine-failed`.
    public func start(_ container: String) async throws {
        try await asKilnError("start the container \(container)") {
            // Binds are kept by name; an id has to be asked for its own, unless nothing can be missing.
            if try !StagedMounts(container: container, configuration: configuration).restore(), container.utf8.count == 64 {
                let name = try await client.inspectContainer(container).name
                _ = try StagedMounts(container: name, configuration: configuration).restore()
            }
            try await client.startContainer(container)
        }
    }

    /// Stops a container; done when it is stopped or gone already.
    /// - Parameter timeout: seconds before SIGKILL; nil: those that the container was made with.
    public func stop(_ id: String, timeout: Int? = nil) async throws {
        try await asKilnError("stop the container \(id)") { try await client.stopContainer(id, timeout: timeout) }
    }

    /// Removes a container, running or not, with its filesystem and anonymous volumes; done when it is gone already.
    public func remove(_ container: String) async throws {
        let name = try await inspect(container)?.name ?? container
        try await asKilnError("remove the container \(container)") {
            var attempts = 0
            while true {
                do {
                    try await client.removeContainer(container, force: true, volumes: true, timeout: 0)
                    break
                } catch let error as PodmanError where error.message.contains("device or resource busy") && attempts < 20 {
                    // Podman's own clean-up of the container's end is at it too; it says nothing when it is done.
                    attempts += 1
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
        }
        try StagedMounts(container: name, configuration: configuration).unmount()
    }

    /// A container by id or name; nil when there is none.
    public func inspect(_ container: String) async throws -> ContainerState? {
        try await asKilnError("look at the container \(container)") {
            do {
                let found = try await client.inspectContainer(container)
                return ContainerState(
                    id: found.id, name: found.name, labels: found.configuration.labels ?? [:], phase: .init(status: found.state.status),
                    pid: found.state.pid, exitStatus: found.state.exitCode)
            } catch let error as PodmanError where error.isNoSuchContainer {
                return nil
            }
        }
    }

    /// All containers that carry `label` (`key` or `key=value`), or all of the instance.
    public func list(label: String? = nil) async throws -> [ContainerState] {
        try await asKilnError("list containers") {
            try await client.listContainers(labels: label.map { [$0] } ?? []).map { found in
                ContainerState(
                    id: found.id, name: found.names?.first ?? "", labels: found.labels ?? [:], phase: .init(status: found.state), pid: found.pid,
                    exitStatus: found.exitCode)
            }
        }
    }

    /// Turns what Podman's client throws into an error for people.
    func asKilnError<Result>(_ what: String, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as PodmanError {
            throw KilnError(error, what: what)
        }
    }
}

extension ContainerState.Phase {
    init(status: String) {
        switch status {
        case "running", "paused", "stopping": self = .running
        case "created", "configured", "initialized": self = .created
        default: self = .exited
        }
    }
}

extension KilnError {
    /// - Parameter what: what was tried, as in “Kiln could not WHAT”.
    init(_ error: PodmanError, what: String) {
        let message = "Kiln could not \(what): \(error.message.printable(limit: 1000))"
        if error.isUnreachable {
            self.init(.engineUnavailable, message, hint: "Its service is started again by itself; try once more in a few seconds.")
        } else if error.isNameConflict {
            self.init(.nameTaken, message)
        } else if error.isNoSuchImage {
            self.init(.imageNotFound, message)
        } else if error.isNoSuchContainer {
            self.init(.notFound, message)
        } else if error.message.contains("no space left on device") {
            self.init(.diskFull, message, hint: "Free some room, then try again.")
        } else {
            self.init(.engineFailed, message)
        }
    }
}
