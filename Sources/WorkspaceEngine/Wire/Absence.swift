import NIOCore

/// What a workspace's caller hears while kilnd is away. It is said without reading the request: root parses nothing from a workspace.
enum Absence {
    /// A `Problem` as KilnAPI would write it.
    private static let problem = """
        {"type":"urn:kiln:problem:engine-unavailable","title":"engine unavailable","status":503,\
        "detail":"Kiln's server is not running; your workspace and its connection go on.","code":"engine-unavailable",\
        "category":"unavailable","hint":"Whoever runs this machine starts it with `make up`."}
        """

    private static let answer = ByteBuffer(
        string: "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
            + "Content-Length: \(problem.utf8.count)\r\nConnection: close\r\n\r\n\(problem)")

    /// Answers, and closes when the caller has.
    static func tell(_ caller: ByteChannel) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await caller.send(answer)
                    try await caller.finish()
                    // Closing over unread bytes would make the kernel reset the connection, and the answer might be lost.
                    while try await caller.next() != nil {}
                } catch {}  // The caller left first.
            }
            group.addTask { try? await Task.sleep(for: .seconds(2)) }
            await group.next()
            group.cancelAll()
        }
        caller.close()
    }
}
