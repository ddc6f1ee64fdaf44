extension Service {
    /// What is run to know the health of its containers; nil: nothing is.
    /// - Parameter image: what the image says; nil: nothing.
    public func healthcheck(ofImage image: Healthcheck?) -> Healthcheck? {
        guard var check = healthcheck else { return image }
        if check.usesImage {
            guard let image else { return nil }
            check.command = image.command
            check.usesImage = false
            for time in check.imageTimes ?? [] {
                switch time {
                case .interval: check.interval = image.interval
                case .timeout: check.timeout = image.timeout
                case .retries: check.retries = image.retries
                case .startPeriod: check.startPeriod = image.startPeriod
                case .startInterval: check.startInterval = image.startInterval
                }
            }
            check.imageTimes = nil
        }
        return check.command.isEmpty ? nil : check
    }
}
