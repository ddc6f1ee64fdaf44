"""Answers with its own name and the caller's address: HTTP/1.1 on one port, with an upgraded stream that echoes lines, and UDP on another."""

import asyncio
import os
import sys

SIDE = os.environ["SIDE"]


async def serve(reader, writer):
    peer = writer.get_extra_info("peername")[0]
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade: echo" in head.lower():
                writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
                while line := await reader.readline():
                    writer.write(SIDE.encode() + b" " + line)
                    await writer.drain()
                return
            body = f"{SIDE} {peer}\n".encode()
            close = b"connection: close" in head.lower()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n" % (len(body), b"close" if close else b"keep-alive") + body
            )
            await writer.drain()
            if close:
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(SIDE.encode() + b" " + data, address)


async def main():
    host = os.environ.get("HOST", "0.0.0.0")
    server = await asyncio.start_server(serve, host, int(sys.argv[1]), backlog=1024)
    await asyncio.get_running_loop().create_datagram_endpoint(Datagrams, (host, int(sys.argv[2])))
    await server.serve_forever()


asyncio.run(main())
