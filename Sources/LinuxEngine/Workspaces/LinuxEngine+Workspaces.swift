import FileWork
public import KilnModel
import LinuxNetwork
public import WorkspaceEngine

extension LinuxEngine {
    public func apply(_ target: WorkspaceTarget) async throws -> WorkspaceObservation {
        try await locks.withLock(target.id) {
            switch target.state {
            case .suspended:
                self.settled.forget(target.id)
                try await self.switchBack(target.id, address: target.address)
                try await self.endPrograms(of: target)
                try await self.removeContainer(of: target.id)
                return WorkspaceObservation(state: .suspended)
            case .running:
                if let observation = await self.applyRemainder(of: target) { return observation }
                self.settled.forget(target.id)
                async let material = self.material(for: target)
                try await self.network.ensureWorkspace(target.id, address: target.address)
                // The link and the container need each other's namespace only, so they are made at the same time.
                async let connection = self.applyConnection(of: target)
                let process = try await self.ensureRunning(target, from: material)
                self.enforceLimits(of: target)
                let observation = await connection
                if observation.connectionFailure == nil { self.settled.settle(target, process: process) }
                return observation
            }
        }
    }

    /// Changes nothing but the connection, or nothing but what is intercepted over it, where nothing else has changed since all was well; nil:
    /// look at everything.
    private func applyRemainder(of target: WorkspaceTarget) async -> WorkspaceObservation? {
        guard let (remainder, process) = settled.remainder(for: target) else { return nil }
        let observation: WorkspaceObservation
        switch remainder {
        case .connection: observation = await applyConnection(of: target)
        case .intercepts(let connection):
            do { observation = try await switchIntercepts(of: target, connection) } catch {
                // Whatever it is, the whole way finds it, mends it or says it.
                return nil
            }
        }
        guard observation.connectionFailure == nil else { return nil }
        settled.settle(target, process: process)
        return observation
    }

    /// That they hold is not what a workspace lives by: its usage tells what does.
    private func enforceLimits(of target: WorkspaceTarget) {
        do {
            guard let container = try answeringContainer(of: target.id) else { return }
            try containers.enforce(target.limits, on: container)
        } catch {
            logger.warning("a workspace's limits are not in force", metadata: ["workspace": "\(target.id)", "error": "\(error)"])
        }
    }

    public func remove(_ target: WorkspaceTarget) async throws {
        try await locks.withLock(target.id) {
            self.settled.forget(target.id)
            try await self.switchBack(target.id, address: target.address)
            try await self.removeContainer(of: target.id)
            try await self.network.removeWorkspace(target.id)
            try await self.removePackages(of: target.id, on: target.workmachine.id)
            try await self.folders.removeWorkspaceFolder(target.name, of: target.workmachine.id)
        }
    }

    /// What a running workspace comes from: its container or, where that is missing, the image to make one of.
    private struct Material {
        var container: ContainerState?
        var image: String?
    }

    private func material(for target: WorkspaceTarget) async throws -> Material {
        if let container = try await containers.inspect(containerName(of: target.id)) { return Material(container: container) }
        return Material(image: try await containers.pull(target.image))
    }

    /// - Returns: the container's first process; nil should it have ended meanwhile.
    private func ensureRunning(_ target: WorkspaceTarget, from material: Material) async throws -> ProcessIdentity? {
        let name = containerName(of: target.id)
        var container = material.container
        if container?.phase == .created {
            // Made and never started, by a call that was cut short or failed: nothing of it is worth keeping.
            try await removeContainer(named: name, grace: 0)
            container = nil
        }
        let socket = try await sockets.open(target.id, userIDs: userIDs(of: target.workmachine))
        if let container, container.isRunning {
            // Once a command ran in this very container, a later look need not run another: that would be most of the time of a connect.
            let answered = try answeringContainer(of: target.id) == container.id
            if try answered && folders.hasWorkspaceFolder(target.name, of: target.workmachine.id) { return ProcessIdentity(pid: container.pid) }
            return try await tryOut(target, container: container.id)
        }
        try await ensureHome(of: target.workmachine)
        let id: String
        if let container {
            id = container.id
            _ = try mountSysfs(for: name, namespace: network.workspaceNamespace(target.id))
        } else {
            let image: String
            if let present = material.image { image = present } else { image = try await containers.pull(target.image) }
            id = try await containers.create(try workspaceContainer(target, image: image, socketDirectory: socket))
        }
        try await containers.start(name)
        return try await tryOut(target, container: id)
    }

    /// Runs a first command in a container that was started, and takes note that it did.
    private func tryOut(_ target: WorkspaceTarget, container: String) async throws -> ProcessIdentity? {
        async let state = containers.inspect(container)
        do {
            try await prepareFolder(target, container: container)
        } catch let error as KilnError where error.code == .cloneFailed {
            // A workspace whose repository never came is not half a workspace: its container goes, the error stays.
            try await removeContainer(of: target.id)
            throw error
        } catch let error as KilnError where error.code == .wrongPhase {
            throw KilnError(.engineFailed, "The workspace \(target.name) ended right after its start.", hint: "kl ws logs \(target.name)")
        }
        try TrustedFiles.update(answerMark(of: target.id), with: container, mode: 0o600)
        return try await state.flatMap { ProcessIdentity(pid: $0.pid) }
    }

    /// The id of the workspace's container in which a command has run; nil before. It may have ended since.
    private func answeringContainer(of workspace: ResourceID) throws -> String? { try TrustedFiles.readText(answerMark(of: workspace)) }

    private func answerMark(of workspace: ResourceID) -> String { "\(configuration.runtimeDirectory)/etc/\(containerName(of: workspace))/answered" }

    /// Makes `~/workspaces/NAME`, or clones into it; that this ran is the proof that commands run.
    private func prepareFolder(_ target: WorkspaceTarget, container: String) async throws {
        let folder = "\(WorkspaceLayout.folders)/\(target.name)"
        let environment = try WorkspaceLayout.environment(target).map(\.description)
        if let repository = target.repository, try !folders.hasWorkspaceFolder(target.name, of: target.workmachine.id) {
            let temporary = "\(WorkspaceLayout.folders)/\(FolderStore.cloneFolder(target.name))"
            let result = try await containers.run(
                ["/bin/sh", "-c", WorkspaceLayout.cloneScript, "sh", repository.value, temporary, folder], in: container,
                user: WorkspaceLayout.user, workingDirectory: "/", environment: environment + ["GIT_TERMINAL_PROMPT=0"], timeout: .seconds(1800))
            guard result.status == 0 else {
                let cause = result.errorText.split(separator: "\n").suffix(2).joined(separator: " ").printable(limit: 300)
                throw KilnError(
                    .cloneFailed, "git could not clone \(repository.value.printable()): \(cause)",
                    hint: "Check the URL and that it can be read without a password: kl ws delete \(target.name), then create it again.")
            }
        } else {
            let result = try await containers.run(
                ["/bin/sh", "-c", WorkspaceLayout.folderScript, "sh", folder], in: container, user: WorkspaceLayout.user,
                workingDirectory: "/", environment: environment)
            guard result.status == 0 else {
                throw KilnError(
                    .engineFailed, "A command in the workspace \(target.name) failed: \(result.errorText.printable(limit: 300))",
                    hint: "An image needs /bin/sh and mkdir to serve as a workspace.")
            }
        }
    }

    /// Links the workspace to the environment it should see, and probes the way a program would use it.
    private func applyConnection(of target: WorkspaceTarget) async -> WorkspaceObservation {
        do {
            if let present = try await network.connection(of: target.id), present != target.connection?.environment {
                try await switchBack(target.id, address: target.address)
            }
            guard let connection = target.connection else {
                try await network.disconnect(workspace: target.id, address: target.address)
                return WorkspaceObservation(state: .running)
            }
            try await network.connect(workspace: target.id, address: target.address, to: connection.environment)
            let intercepts = try await applyIntercepts(connection, of: target)
            if let probe = connection.probe { try await verify(probe, from: target.id) }
            return WorkspaceObservation(
                state: .running, connected: connection.environment,
                intercepts: await verify(intercepts, of: target, in: connection.environment))
        } catch let error as KilnError {
            return WorkspaceObservation(state: .running, connectionFailure: error)
        } catch {
            return WorkspaceObservation(state: .running, connectionFailure: KilnError(.probeFailed, "The connection failed: \(error)"))
        }
    }

    /// Resolves the name and opens the port from inside the workspace's namespace, as a program of it would.
    private func verify(_ probe: ConnectionTarget.Probe, from workspace: ResourceID) async throws {
        let namespace = network.workspaceNamespace(workspace)
        let answer = try await Probe.resolve(probe.service.value, in: namespace, timeout: .seconds(2))
        guard case .resolved(let addresses) = answer, addresses == [probe.address] else {
            throw KilnError(
                .probeFailed, "The connection is up, but \(probe.service) does not resolve (\(answer)).", hint: "kl env show; it is tried again.")
        }
        // Refused is an answer by the service's own machine: the way there is open.
        guard let port = probe.port, port.transport == .tcp else { return }
        let result = try await Probe.connect(to: probe.address, port: port.number, in: namespace, timeout: .seconds(2))
        guard result == .open || result == .refused else {
            throw KilnError(
                .probeFailed, "\(probe.service) resolves, but its port \(port) cannot be reached (\(result)).",
                hint: "kl env show; it is tried again.")
        }
    }

    /// How long programs may take to end by themselves when their workspace is suspended.
    private static let endLimit = Duration.seconds(3)

    private func endPrograms(of target: WorkspaceTarget) async throws {
        guard let container = try await containers.inspect(containerName(of: target.id)), container.isRunning else { return }
        let left = try await containers.endPrograms(of: container, grace: Self.endLimit)
        if left > 0 { logger.info("programs had to be killed", metadata: ["workspace": "\(target.id)", "count": "\(left)"]) }
    }

    private func removeContainer(of id: ResourceID) async throws {
        try await removeContainer(named: containerName(of: id), grace: 10)
        try await sockets.close(id)
    }

    private func userIDs(of machine: WorkmachineTarget) -> Range<Int> {
        let first = instance.firstUserID(ofRange: machine.rangeIndex)
        return first..<(first + Instance.rangeSize)
    }

    func containerName(of workspace: ResourceID) -> String { "\(instance.prefix)-w-\(workspace)" }

    public func session(_ request: SessionRequest, in target: WorkspaceTarget, input: SessionInput, output: @escaping SessionOutput) async throws {
        let notRunning = KilnError(.wrongPhase, "The workspace \(target.name) does not run.", hint: "kl ws resume \(target.name)")
        // Podman need not be asked first: the runtime itself finds out whether the container runs.
        guard let container = try answeringContainer(of: target.id) else { throw notRunning }
        do {
            try await containers.session(
                WorkspaceLayout.inLoginEnvironment(request), container: container, user: WorkspaceLayout.user,
                workingDirectory: "\(WorkspaceLayout.folders)/\(target.name)",
                environment: try WorkspaceLayout.environment(target), input: input, output: output)
        } catch let error as KilnError where error.code == .wrongPhase {
            throw notRunning
        }
    }

    public func usage(of target: WorkspaceTarget) async throws -> WorkspaceUsage {
        guard let container = try await containers.inspect(containerName(of: target.id)), container.isRunning else {
            throw KilnError(.wrongPhase, "The workspace \(target.name) does not run.", hint: "kl ws resume \(target.name)")
        }
        let stats = try containers.stats(container.id)
        let disk = try folders.space(of: target.workmachine.id)
        let wanted = target.limits
        let limits = ResourceLimits(
            milliCPUs: stats.milliCPULimit ?? wanted.milliCPUs, memory: stats.memoryLimit ?? wanted.memory, pids: stats.processLimit ?? wanted.pids)
        return WorkspaceUsage(
            cpuNanoseconds: stats.cpuNanoseconds, memory: stats.memory, processes: stats.processes, limits: limits, memoryKills: stats.memoryKills,
            diskFree: disk.free, diskSize: disk.size)
    }
}
