import ArgumentParser
import Crypto
import NIOPosix
import NIOHTTP1
