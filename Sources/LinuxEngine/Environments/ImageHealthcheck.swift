import FoundationEssentials
import KilnModel
import PodmanClient

extension ContainerHost {
    /// What an image says of how to know its health; nil: nothing.
    func healthcheck(ofImage name: String) async throws -> Service.Healthcheck? {
        try await asKilnError("look at the image \(name)") { try await client.inspectImage(name).healthcheck.flatMap(Service.Healthcheck.init) }
    }
}

extension Service.Healthcheck {
    /// nil for `NONE`, and for what is no check.
    init?(_ image: ImageInspection.Healthcheck) {
        let words = image.test ?? []
        switch (words.first, words.count) {
        case ("CMD", 2...): self.init(command: Array(words.dropFirst()))
        case ("CMD-SHELL", 2): self.init(command: ["/bin/sh", "-c", words[1]])
        default: return nil
        }
        // 0 stands for the usual.
        func seconds(_ nanoseconds: Int?) -> Double? { nanoseconds.flatMap { $0 > 0 ? Double($0) / 1e9 : nil } }
        interval = seconds(image.interval) ?? interval
        timeout = seconds(image.timeout) ?? timeout
        startPeriod = seconds(image.startPeriod) ?? startPeriod
        startInterval = seconds(image.startInterval)
        if let count = image.retries, count > 0 { retries = count }
    }

    /// As a container's label keeps it; the container may outlive the image's name.
    var label: String {
        get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
    }

    init?(label: String) {
        guard let check = try? JSONDecoder().decode(Self.self, from: Data(label.utf8)) else { return nil }
        self = check
    }
}
