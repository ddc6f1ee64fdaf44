internal import Hummingbird
internal import KilnControl

/// What belongs to one request.
struct KilnRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Set before the request is looked at when the connection itself says who asks; otherwise by its token.
    var identity: Identity?
    let note = RequestNote()

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
    }

    init(source: ApplicationRequestContextSource, identity: Identity) {
        self.init(source: source)
        self.identity = identity
    }
}
