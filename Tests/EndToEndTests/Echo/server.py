"""Answers with its own name and the caller's address: by HTTP/1.1, by WebSocket and by HTTP/2 on the same ports, and by UDP.

server.py UDP-PORT TCP-PORT...; SIDE is the name, HOST the address to listen on.
"""

import asyncio
import base64
import hashlib
import os
import sys

import h2.config
import h2.connection
import h2.events

SIDE = os.environ["SIDE"]
PREFACE = b"PRI * HTTP/2.0\r\n\r\n"


async def serve(reader, writer):
    peer = writer.get_extra_info("peername")[0]
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head == PREFACE:
                return await serve_http2(reader, writer, peer)
            headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:] if ": " in line)
            if headers.get("upgrade") == "websocket":
                key = head.decode().split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
                return await serve_websocket(reader, writer, key)
            body = f"{SIDE} {peer}\n".encode()
            connection = "close" if headers.get("connection") == "close" else "keep-alive"
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: {connection}\r\n\r\n".encode() + body)
            await writer.drain()
            if connection == "close":
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve_websocket(reader, writer, key):
    """RFC 6455, as far as short text messages need it: each comes back behind the name."""
    accept = base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
    writer.write(
        f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    while True:
        kind, length = await reader.readexactly(2)
        mask = await reader.readexactly(4)
        text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(await reader.readexactly(length & 0x7F)))
        if kind & 0x0F != 1:
            return
        answer = SIDE.encode() + b" " + text
        writer.write(bytes([0x81, len(answer)]) + answer)
        await writer.drain()


async def serve_http2(reader, writer, peer):
    """A GET is answered; a POST stays open, and what it sends comes back behind the name, piece by piece."""
    link = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    link.initiate_connection()
    data, streaming = PREFACE, set()
    while data:
        for event in link.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                if method(event) == "POST":
                    streaming.add(event.stream_id)
                    link.send_headers(event.stream_id, [(":status", "200")])
                else:
                    link.send_headers(event.stream_id, [(":status", "200")])
                    link.send_data(event.stream_id, f"{SIDE} {peer}\n".encode(), end_stream=True)
            elif isinstance(event, h2.events.DataReceived):
                link.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if event.stream_id in streaming and event.data:
                    link.send_data(event.stream_id, SIDE.encode() + b" " + event.data)
            elif isinstance(event, h2.events.StreamEnded) and event.stream_id in streaming:
                link.end_stream(event.stream_id)
            elif isinstance(event, h2.events.ConnectionTerminated):
                return
        writer.write(link.data_to_send())
        await writer.drain()
        data = await reader.read(65536)


def method(request):
    """Old versions of h2 give text, new ones bytes."""
    found = next(value for name, value in request.headers if name in (":method", b":method"))
    return found.decode() if isinstance(found, bytes) else found


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(SIDE.encode() + b" " + data, address)


async def main():
    host = os.environ.get("HOST", "0.0.0.0")
    udp, *tcp = map(int, sys.argv[1:])
    servers = [await asyncio.start_server(serve, host, port, backlog=1024) for port in tcp]
    await asyncio.get_running_loop().create_datagram_endpoint(Datagrams, (host, udp))
    await asyncio.gather(*[server.serve_forever() for server in servers])


asyncio.run(main())
