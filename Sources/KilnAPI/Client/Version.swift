/// The version of this source.
public enum KilnVersion {
    public static let current = "0.1.0"
}
