import KilnModel

/// What a service's health check says.
enum Health: Sendable, Equatable {
    case starting
    case healthy
    /// With what the last check printed.
    case unhealthy(String)
}

/// The rules by which single checks add up to a `Health`, as the Compose specification has them. Pure.
struct HealthRecord: Sendable, Equatable {
    private(set) var health = Health.starting
    private(set) var consecutiveFailures = 0

    /// Takes in one finished check, `age` seconds after the container's start. Failures in the start period do not count until the first
    /// success.
    mutating func record(passed: Bool, output: String, age: Double, check: Service.Healthcheck) {
        if passed {
            consecutiveFailures = 0
            health = .healthy
            return
        }
        if health == .starting, age < check.startPeriod { return }
        consecutiveFailures += 1
        if consecutiveFailures >= max(1, check.retries) { health = .unhealthy(output) }
    }
}
