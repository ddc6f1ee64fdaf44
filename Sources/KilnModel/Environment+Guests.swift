extension Environment {
    /// As those see it with whom it is shared: its services, ports and state, without what is written into them. Values of variables, files,
    /// commands and what crashed services said may be or hold anybody's passwords.
    public var withoutValues: Environment {
        var shown = self
        shown.spec.services = spec.services.map(\.withoutValues)
        shown.spec.secrets = []
        for index in shown.status.services.indices { shown.status.services[index].crash?.lastLines = [] }
        return shown
    }
}

extension Service {
    fileprivate var withoutValues: Service {
        var shown = Service(
            name: name, addressIndex: addressIndex, aliases: aliases, replicas: replicas, image: image, ports: ports, volumes: volumes)
        if case .build(var build) = image {
            build.arguments = []
            shown.image = .build(build)
        }
        shown.dependencies = dependencies
        shown.restart = restart
        shown.settings.limits = settings.limits
        return shown
    }
}
