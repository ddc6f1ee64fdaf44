public import KilnModel

extension KilnStore {
    /// Says what was observed on top of what the status says by now, which others may have changed since it was read.
    /// - Parameter change: gets the resource as it is now, and gives its new status.
    /// - Returns: the resource as it is then, or nil when it is gone.
    @discardableResult
    public func setStatus<R: StoredResource>(
        _ type: R.Type, _ id: ResourceID, _ change: @escaping @Sendable (R) -> R.Status
    ) async throws -> R? {
        try await write(durable: false) { transaction in
            guard var resource = try transaction.resource(type, id) else { return nil }
            let status = change(resource)
            guard resource.status != status else { return resource }
            resource.status = status
            try transaction.save(resource)
            return resource
        }
    }
}
