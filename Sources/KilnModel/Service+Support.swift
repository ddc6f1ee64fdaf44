extension Service {
    /// What Kiln reads and keeps, but cannot yet make true, is refused rather than ignored.
    /// - Throws: `invalid-compose` naming the key.
    public func requireSupport() throws(KilnError) {
        if replicas != 1 {
            throw Self.unsupported(
                "The service \(name) asks for \(replicas) containers (“deploy.replicas” or “scale”).",
                hint: "Set it to 1, or write the service once more under another name.")
        }
        if healthcheck?.usesImage == true {
            throw Self.unsupported(
                "The service \(name) has a “healthcheck” without a “test”, which is to take the image’s.",
                hint: "Write the “test” that the image has, or remove “healthcheck”.")
        }
        for file in files {
            if case .copy(let copy) = file.source, copy.kind == .folder, file.mode != nil || file.user != nil || file.group != nil {
                throw Self.unsupported(
                    "The service \(name) sets “mode”, “uid” or “gid” of the folder \(file.path).", hint: "Set them for single files only.")
            }
        }
    }

    private static func unsupported(_ what: String, hint: String) -> KilnError {
        KilnError(.invalidCompose, "\(what) That is not supported yet.", hint: hint)
    }
}
