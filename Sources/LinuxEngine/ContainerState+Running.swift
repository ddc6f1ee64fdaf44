extension ContainerState {
    var isRunning: Bool { phase == .running }
}
