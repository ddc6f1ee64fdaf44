extension Service {
    /// What its container is made from: itself without what the network and the engine see to from outside. Services that agree in this do not
    /// need another container.
    public var containerPart: Service {
        var part = self
        part.aliases = []
        part.replicas = 1
        part.ports = []
        part.namedPorts = nil
        part.dependencies = []
        part.healthcheck = nil
        part.restart = .no
        part.settings.pullPolicy = nil
        return part
    }
}
