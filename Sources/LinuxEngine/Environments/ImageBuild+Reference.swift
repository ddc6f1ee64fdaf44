import Crypto
import FoundationEssentials
import KilnModel

extension ImageBuild {
    /// The image's name: derived from all that goes into it, so that the second environment made from a file builds nothing.
    var reference: ImageReference {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            let digest = SHA256.hash(data: try encoder.encode(self)).prefix(16)
            return try ImageReference("localhost/kiln/build:" + digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        }
    }
}
