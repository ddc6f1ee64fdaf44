import FoundationEssentials
import KilnModel
import PodmanClient

/// Something that happened to a container of this instance.
public struct ContainerEvent: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case created, started
        case died(exitStatus: Int)
        case removed
        /// Events may have been missed: look at everything.
        case resynchronize
    }

    public var kind: Kind
    /// Empty for `resynchronize`.
    public var id: String
    public var name: String
    public var labels: [String: String]
}

extension ContainerHost {
    /// Delivers what happens to containers, until the task is cancelled. Begins with `resynchronize`, and says it again after each loss of
    /// Podman's service. Events come up to half a second late.
    /// - Throws: what `deliver` throws; `CancellationError`.
    public func events(_ deliver: @Sendable (ContainerEvent) async throws -> Void) async throws {
        while true {
            if let stream = try await eventStream() {
                try await deliver(ContainerEvent(kind: .resynchronize, id: "", name: "", labels: [:]))
                var events = stream.makeAsyncIterator()
                while let event = try await next(&events) {
                    if let event = ContainerEvent(event) { try await deliver(event) }
                }
            }
            // The next request waits for the service by itself; this only bounds how often one that answers and hangs up is asked.
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func eventStream() async throws -> PodmanLines<PodmanEvent>? {
        do {
            return try await client.events(filters: ["type": ["container"], "event": ["create", "start", "died", "remove"]])
        } catch let error as PodmanError {
            logger.debug("Podman's events cannot be had: \(error)")
            return nil
        }
    }

    /// The next event; nil when the stream broke.
    private func next(_ events: inout PodmanLines<PodmanEvent>.Iterator) async throws -> PodmanEvent? {
        do {
            return try await events.next()
        } catch {
            try Task.checkCancellation()
            logger.debug("The stream of Podman's events broke: \(error)")
            return nil
        }
    }
}

extension ContainerEvent {
    fileprivate init?(_ event: PodmanEvent) {
        var labels = event.actor.attributes
        let name = labels.removeValue(forKey: "name") ?? ""
        let status = labels.removeValue(forKey: "containerExitCode").flatMap { Int($0) } ?? 0
        labels.removeValue(forKey: "image")
        let kind: Kind
        switch event.action {
        case "create": kind = .created
        case "start": kind = .started
        case "died": kind = .died(exitStatus: status)
        case "remove": kind = .removed
        default: return nil
        }
        self.init(kind: kind, id: event.actor.id, name: name, labels: labels)
    }
}
