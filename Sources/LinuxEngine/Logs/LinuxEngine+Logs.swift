public import KilnModel
public import WorkspaceEngine

extension LinuxEngine {
    public func logs(_ request: LogRequest, output: @escaping @Sendable (LogLine) async throws -> Void) async throws {
        let (name, owner, replica) = place(of: request.source)
        // Before the first look, so that no start is missed.
        let changes = request.follow ? observers.stream() : nil
        var last = try await copy(request, name, replica, output)
        guard let changes else { return }
        var next = request
        next.tail = nil
        for await change in changes where change == owner {
            do {
                last = try await copy(next, name, replica, after: last, output)
            } catch let error as KilnError where error.code == .engineUnavailable {
                // Once Podman's service is back, all that runs is announced anew.
                logger.debug("a log cannot be followed for now", metadata: ["container": "\(name)", "error": "\(error.message)"])
            }
        }
    }

    /// Copies the log of the container called `name`, and goes on until that is removed if it is to be followed.
    /// - Parameter last: the id of the one that was copied before.
    /// - Returns: the id of the one copied; nil when nothing ran yet.
    private func copy(
        _ request: LogRequest, _ name: String, _ replica: Replica?, after last: String? = nil, _ output: (LogLine) async throws -> Void
    ) async throws -> String? {
        guard let container = try await containers.inspect(name)?.id, container != last else { return last }
        let file = ContainerLogFile(container: container, storageRoot: containers.configuration.storageRoot, replica: replica)
        let changes = request.follow ? try await logWatch.changes(in: file.directory) : nil
        try await file.read(since: request.since, tail: request.tail, changes: changes, output)
        return container
    }

    private func place(of source: LogRequest.Source) -> (container: String, owner: ResourceReference, replica: Replica?) {
        switch source {
        case .workspace(let id): (containerName(of: id), ResourceReference(kind: .workspace, id: id), nil)
        case .service(let environment, let name, let number):
            (
                containerName(of: Replica(name, number), in: environment), ResourceReference(kind: .environment, id: environment),
                Replica(name, number)
            )
        }
    }

    /// The last lines that a container printed, safe to show.
    func lastLines(of container: String, count: Int) async throws -> [String] {
        var lines: [String] = []
        try await ContainerLogFile(container: container, storageRoot: containers.configuration.storageRoot).read(tail: count) {
            lines.append($0.text.printable(limit: 200))
        }
        return lines
    }
}
