internal import KilnAPI
internal import KilnModel

/// An enumeration with payloads, which in JSON is an object with one of these keys. Swift cannot list the keys; a key that is missing here is found
/// when an answer with it does not fit the schema, and one too many when the schema is made.
protocol TaggedUnion: Decodable {
    static var tags: [String] { get }
}

extension ServiceImage: TaggedUnion { static let tags = ["reference", "build"] }
extension FileMount.Source: TaggedUnion { static let tags = ["copy", "text", "secret"] }
extension SecretTemplate.Piece: TaggedUnion { static let tags = ["text", "secret"] }
extension Service.RestartPolicy: TaggedUnion { static let tags = ["no", "always", "unlessStopped", "onFailure"] }
extension ResourceEvent: TaggedUnion { static let tags = ["workmachine", "workspace", "environment", "deleted"] }
extension CollectionLine: TaggedUnion { static let tags = ["progress", "done", "failed"] }
extension PackageWish.Version: TaggedUnion { static let tags = ["latest", "matching"] }
extension PackageResolution: TaggedUnion { static let tags = ["locked", "failed"] }
