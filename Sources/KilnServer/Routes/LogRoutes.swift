internal import FoundationEssentials
internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

extension Backend {
    /// `GET …/logs` of workspaces and environments: one `LogLine` of JSON a line. `?follow=true`, `?tail=N`, `?since=`;
    /// `?service=NAME` for one service, repeated for several.
    func addLogs(to table: inout RouteTable) {
        table.add(
            .get, Routes.action(.workspace, "{ref}", .logs),
            .init(
                "readWorkspaceLog", "What a workspace's container printed, one line each.",
                .init("follow", "Go on as new lines come.", Bool.self), .init("since", "Only what was printed since.", Timestamp.self),
                .init("tail", "Only so many of the last lines of each.", Int.self), answers: .ok(.stream("application/x-ndjson", of: LogLine.self)))
        ) { call in
            let id = try await resolve(.workspace, call, .logs).id
            return try await logs(of: Workspace.self, id, call) { _ in [.workspace(id)] }
        }
        table.add(
            .get, Routes.action(.environment, "{ref}", .logs),
            .init(
                "readServiceLogs", "What services printed, in the order of its time.",
                .init("follow", "Go on as new lines come.", Bool.self), .init("since", "Only what was printed since.", Timestamp.self),
                .init("tail", "Only so many of the last lines of each.", Int.self),
                .init("service", "Only of this service.", Name.self, isRepeatable: true),
                answers: .ok(.stream("application/x-ndjson", of: LogLine.self)))
        ) { call in
            let environment = try await environment(call, .logs)
            let wanted = try call.queries("service").map { try environment.requireService(try Name($0)).name }
            return try await logs(of: Environment_.self, environment.metadata.id, call) { environment in
                let services = environment.spec.services.filter { wanted.isEmpty || wanted.contains($0.name) }
                return services.flatMap(\.containers).map { .service(environment: environment.metadata.id, name: $0.service, replica: $0.number) }
            }
        }
    }

    /// - Parameter sources: the logs of a resource as it is now.
    private func logs<R: StoredResource>(
        of type: R.Type, _ id: ResourceID, _ call: Call, _ sources: @escaping @Sendable (R) -> [LogRequest.Source]
    ) async throws -> Response {
        let selection = LogSelection(
            follow: try call.flag("follow"), since: try call.time("since"), tail: try call.number("tail", in: 0...1_000_000))
        let engine = try controller.link.required()
        let begin = KilnStore.systemTime()
        let feed = try await store.changes(after: store.lastSequence())
        guard let resource = try await store.resource(R.self, id) else { throw KilnError.noSuch(R.kind, id.value) }
        let first = sources(resource)
        return .streaming(call, "application/x-ndjson") { pipe, _ in
            let reading = LogReading(engine: engine, selection: selection) { line in
                try await pipe.write("\(try RequestJSON.text(line))\n".utf8)
            }
            let positions = try await reading.history(of: first)
            guard selection.follow else { return }
            try await follow(first, of: id, in: feed, sources) { try await reading.follow($0, from: positions[$0], begin: begin) }
        }
    }

    private enum FollowStep<R: StoredResource>: Sendable {
        /// nil: it was deleted.
        case changed(R?, ChangeFeed.Iterator)
        case logEnded
    }

    /// Follows logs until their resource is deleted. Services that come meanwhile are followed too.
    private func follow<R: StoredResource>(
        _ first: [LogRequest.Source], of id: ResourceID, in feed: ChangeFeed, _ sources: (R) -> [LogRequest.Source],
        _ read: @escaping @Sendable (LogRequest.Source) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: FollowStep<R>.self) { group in
            defer { group.cancelAll() }
            var followed: Set<LogRequest.Source> = []
            func start(_ sources: [LogRequest.Source]) {
                for source in sources where followed.insert(source).inserted {
                    group.addTask {
                        try await read(source)
                        return .logEnded
                    }
                }
            }
            start(first)
            group.addTask { try await Self.nextChange(of: id, feed.makeAsyncIterator()) }
            for try await step in group {
                switch step {
                // The others go on.
                case .logEnded: continue
                case .changed(nil, _): return
                case .changed(let resource?, let changes):
                    start(sources(resource))
                    group.addTask { try await Self.nextChange(of: id, changes) }
                }
            }
        }
    }

    private static func nextChange<R: StoredResource>(of id: ResourceID, _ changes: ChangeFeed.Iterator) async throws -> FollowStep<R> {
        var changes = changes
        while let change = try await changes.next() {
            if change.id == id { return .changed(try change.resource(R.self), changes) }
        }
        throw CancellationError()
    }
}
