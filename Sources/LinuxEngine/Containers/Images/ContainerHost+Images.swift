import FoundationEssentials
public import KilnModel
import PodmanClient

extension ContainerHost {
    /// Whether an image is in the store, under its full name (`ImageReference.qualified`), other name or id.
    public func hasImage(_ reference: String) async throws -> Bool {
        try await asKilnError("look for the image \(reference)") { try await client.imageExists(reference) }
    }

    /// Fetches an image and returns the name to create containers with. `progress` gets a line a step.
    /// - Parameter policy: whether one that is in the store is fetched again, and one that is not at all.
    /// - Throws: `KilnError` with `image-not-found` and what the registry said; `disk-full`.
    public func pull(
        _ image: ImageReference, policy: ContainerSettings.PullPolicy = .missing, progress: @Sendable (String) async -> Void = { _ in }
    ) async throws -> String {
        let name = image.qualified
        if policy != .always || name.hasPrefix("localhost/") {
            guard try await !hasImage(name) else { return name }
        }
        guard policy != .never else {
            throw KilnError(
                .imageNotFound, "There is no image \(name) on this machine, and it is never to be fetched.", hint: "Set “pull_policy: missing”.")
        }
        // Images of this name are only ever made here.
        guard !name.hasPrefix("localhost/") else {
            throw KilnError(.imageNotFound, "There is no image \(name) on this machine.", hint: "Build it, or name one of a registry.")
        }
        do {
            _ = try await client.pullImage(name) { line in
                await progress(line.split(whereSeparator: \.isNewline).joined(separator: " "))
            }
        } catch let error as PodmanError where !error.isUnreachable {
            let converted = KilnError(error, what: "fetch the image \(image)")
            guard converted.code == .engineFailed else { throw converted }
            throw KilnError(.imageNotFound, converted.message, hint: "Check the name, and that this machine reaches the registry.")
        } catch let error as PodmanError {
            throw KilnError(error, what: "fetch the image \(image)")
        }
        return name
    }

    /// Makes an image of one layer from the tar of a root filesystem.
    public func importImage<Bytes: AsyncSequence & Sendable>(_ tar: Bytes, name: String) async throws where Bytes.Element == [UInt8] {
        try await asKilnError("import the image \(name)") { _ = try await client.importImage(tar, reference: name) }
    }

    /// Removes an image; done when it is gone already.
    public func removeImage(_ name: String) async throws {
        try await asKilnError("remove the image \(name)") { try await client.removeImage(name) }
    }
}
