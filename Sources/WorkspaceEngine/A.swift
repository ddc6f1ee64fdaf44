import NIOHTTP2
import NIOPosix
