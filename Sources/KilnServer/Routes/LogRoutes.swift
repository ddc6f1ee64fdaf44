internal import FoundationEssentials
internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

extension Backend {
    /// `GET …/logs` of workspaces and environments: one `LogLine` of JSON a line. `?follow=true`, `?tail=N`; `?service=NAME` for one service.
    func addLogs(to table: inout RouteTable) {
        table.add(.get, Routes.action(.workspace, "{ref}", .logs)) { call in
            let id = try await resolve(.workspace, call, .logs).id
            return try logs(of: [.workspace(id)], call)
        }
        table.add(.get, Routes.action(.environment, "{ref}", .logs)) { call in
            let document = try await resolve(.environment, call, .logs)
            guard let environment = try await store.resource(Environment_.self, document.id) else {
                throw KilnError.noSuch(.environment, document.name.value)
            }
            var names = environment.spec.services.map(\.name)
            if let wanted = try call.query("service").map({ try Name($0) }) {
                guard names.contains(wanted) else {
                    throw KilnError(
                        .notFound, "The environment \(document.name) has no service \(wanted).",
                        hint: "It has \(names.map(\.value).joined(separator: ", "))."
                    )
                }
                names = [wanted]
            }
            return try logs(of: names.map { .service(environment: document.id, name: $0) }, call)
        }
    }

    /// Several sources are read one after the other, or side by side when they are followed.
    private func logs(of sources: [LogRequest.Source], _ call: Call) throws -> Response {
        let (follow, tail) = (try call.flag("follow"), try call.number("tail", in: 0...1_000_000))
        let engine = try controller.link.required()
        return .streaming(call, "application/x-ndjson") { pipe, _ in
            let read: @Sendable (LogRequest.Source) async throws -> Void = { source in
                try await engine.logs(LogRequest(source: source, follow: follow, tail: tail)) { line in
                    try await pipe.write(try JSONEncoder().encode(line) + [UInt8(ascii: "\n")])
                }
            }
            guard follow else {
                for source in sources { try await read(source) }
                return
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for source in sources { group.addTask { try await read(source) } }
                try await group.waitForAll()
            }
        }
    }
}
