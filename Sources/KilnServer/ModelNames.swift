internal import KilnModel

/// Hummingbird has an `Environment` of its own.
typealias Environment_ = KilnModel.Environment
