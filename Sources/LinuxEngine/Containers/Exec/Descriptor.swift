import CTerminal
import FileWork
import Glibc
import KilnModel

/// An owned file descriptor, closed when let go of or by `close()`.
final class Descriptor: @unchecked Sendable {
    /// -1 once closed. Only the one task that uses the descriptor closes it, so there is no race on it.
    private(set) var number: Int32

    init(owning number: Int32) { self.number = number }

    func close() {
        guard number >= 0 else { return }
        Glibc.close(number)
        number = -1
    }

    deinit { close() }

    /// Two ends of a pipe: what is written to the second is read from the first. The ends of this process do not block.
    static func pipe(forReading isForReading: Bool) throws -> (read: Descriptor, write: Descriptor) {
        var numbers: [Int32] = [-1, -1]
        let code = kiln_pipe(&numbers)
        guard code == 0 else { throw TrustedFiles.failure("open a pipe", code: -code) }
        let pipe = (read: Descriptor(owning: numbers[0]), write: Descriptor(owning: numbers[1]))
        _ = kiln_set_nonblocking(isForReading ? numbers[0] : numbers[1])
        return pipe
    }

    enum Reading { case bytes([UInt8]), nothingYet, end }

    /// Reads what is there, at most `limit` bytes, without waiting.
    func read(limit: Int = 1 << 16) throws -> Reading {
        // A buffer no larger than what is there, since the reader may keep it.
        let limit = min(max(Int(kiln_readable_bytes(number)), 1), limit)
        var count = 0
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
            repeat { count = Glibc.read(number, buffer.baseAddress, limit) } while count < 0 && errno == EINTR
            code = errno
            initialized = max(count, 0)
        }
        if count > 0 { return .bytes(bytes) }
        // EIO: the last process with this terminal has closed it.
        if count == 0 || code == EIO { return .end }
        guard code == EAGAIN else { throw TrustedFiles.failure("read a program's output", code: code) }
        return .nothingYet
    }

    /// Writes all of `bytes`, waiting while the other side does not read.
    /// - Returns: false when the other side reads no more.
    func write(_ bytes: [UInt8]) async throws -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress! + offset, bytes.count - offset) }
            if count >= 0 {
                offset += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: try await Readiness.writable(number)
            case EPIPE, EIO: return false
            default: throw TrustedFiles.failure("write to a program's input")
            }
        }
        return true
    }
}
