"""Calls the echo service in every way, and prints what failed: JSON of counts by way and side, and of errors.

With --rounds it switches the service back and forth by the commands it is given, that often, and ends; after each switch every way is tried on a
new connection, and has to reach the new side. Without it calls until SIGTERM. A call that began and ended between two switches has to have reached
the side of then, and a connection never changes sides.
"""

import argparse
import asyncio
import base64
import json
import os
import random
import signal
import struct
from collections import Counter

import h2.config
import h2.connection
import h2.events

options = argparse.ArgumentParser()
options.add_argument("host")
options.add_argument("port", type=int)
options.add_argument("udp", type=int)
options.add_argument("--ways", type=str.split, default=["http", "kept", "websocket", "http2", "udp"])
options.add_argument("--rounds", type=int, default=0)
options.add_argument("--start", type=json.loads, default=[])
options.add_argument("--stop", type=json.loads, default=[])
options = options.parse_args()

LIMIT = 30
counts = {way: Counter() for way in options.ways}
errors = []
ending = asyncio.Event()


class Side:
    """Whose new connections are at this moment; None while a switch is under way, or when nobody says."""

    name = None
    number = 0

    @classmethod
    def become(cls, name):
        cls.name = name
        cls.number += 1

    @classmethod
    async def check(cls, call):
        """The answer to a call on a new connection, checked against what was true all the while."""
        name, number = cls.name, cls.number
        answer = await call
        if name and number == cls.number and answer != name:
            raise ValueError(f"{answer} answered after the switch to {name}")
        return answer


class Connection:
    """One of any protocol: `ask` gives the name of the side that answered, which must not change."""

    @classmethod
    async def open(cls):
        self = cls()
        self.number = 0
        self.reader, self.writer = await asyncio.wait_for(asyncio.open_connection(options.host, options.port), LIMIT)
        await self.begin()
        return self

    async def begin(self):
        pass

    async def ask(self):
        self.number += 1
        return await asyncio.wait_for(self.answer(), LIMIT)

    def close(self):
        self.writer.close()


class HTTP(Connection):
    async def answer(self, close=False):
        self.writer.write(b"GET / HTTP/1.1\r\nHost: echo\r\n" + (b"Connection: close\r\n" if close else b"") + b"\r\n")
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(head.split(b"\r\n")[0].decode())
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return (await self.reader.readexactly(length)).split()[0].decode()


class WebSocket(Connection):
    async def begin(self):
        key = base64.b64encode(os.urandom(16))
        self.writer.write(
            b"GET / HTTP/1.1\r\nHost: echo\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: " + key + b"\r\n\r\n"
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(head.split(b"\r\n")[0].decode())

    async def answer(self):
        text, mask = str(self.number).encode(), os.urandom(4)
        self.writer.write(struct.pack("BB", 0x81, 0x80 | len(text)) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(text)))
        _, length = await self.reader.readexactly(2)
        side, number = (await self.reader.readexactly(length)).split()
        if int(number) != self.number:
            raise ConnectionError(f"message {self.number} came back as {number}")
        return side.decode()


class HTTP2(Connection):
    """One stream stays open and goes both ways, as gRPC's do; every second question is a request on a stream of its own."""

    async def begin(self):
        self.link = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.link.initiate_connection()
        self.stream = self.request("POST", False)

    def request(self, method, isWhole):
        stream = self.link.get_next_available_stream_id()
        headers = [(":method", method), (":scheme", "http"), (":authority", "echo"), (":path", "/")]
        self.link.send_headers(stream, headers, end_stream=isWhole)
        return stream

    async def answer(self):
        isOwn = self.number % 2 == 0
        stream = self.request("GET", True) if isOwn else self.stream
        if not isOwn:
            self.link.send_data(stream, str(self.number).encode())
        text = b""
        while True:
            self.writer.write(self.link.data_to_send())
            data = await self.reader.read(65536)
            if not data:
                raise ConnectionError("the connection ended")
            for event in self.link.receive_data(data):
                if isinstance(event, (h2.events.ConnectionTerminated, h2.events.StreamReset)):
                    raise ConnectionError(repr(event))
                if isinstance(event, h2.events.DataReceived):
                    self.link.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    text += event.data if event.stream_id == stream else b""
                    if not isOwn and text.split()[1:] == [str(self.number).encode()]:
                        return text.split()[0].decode()
                if isinstance(event, h2.events.StreamEnded) and event.stream_id == stream:
                    return text.split()[0].decode()


class Exchange(asyncio.DatagramProtocol):
    """An open UDP socket: its datagrams go wherever new ones go."""

    @classmethod
    async def open(cls):
        remote = (options.host, options.udp)
        self = (await asyncio.get_running_loop().create_datagram_endpoint(cls, remote_addr=remote))[1]
        self.number, self.waiting = 0, {}
        return self

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        side, number = data.decode().split()
        future = self.waiting.pop(int(number), None)
        if future and not future.done():
            future.set_result(side)

    def error_received(self, error):
        counts["udp"]["refused"] += 1

    async def ask(self, tries=1):
        for _ in range(tries):
            self.number += 1
            waiting = self.waiting[self.number] = asyncio.get_running_loop().create_future()
            self.transport.sendto(str(self.number).encode())
            try:
                return await asyncio.wait_for(waiting, 2)
            except asyncio.TimeoutError:
                counts["udp"]["lost"] += 1
        return None

    def close(self):
        self.transport.close()


async def once(kind):
    """Who answers a new connection."""
    connection = await kind.open()
    try:
        return await (connection.answer(close=True) if kind is HTTP else connection.ask())
    finally:
        connection.close()


async def new():
    while not ending.is_set():
        counts["http"][await asyncio.wait_for(Side.check(once(HTTP)), LIMIT)] += 1
        await asyncio.sleep(0.005)


def lasting(way, kind):
    """Connections that live through a few switches each."""

    async def body():
        while not ending.is_set():
            end = asyncio.get_running_loop().time() + random.uniform(0.1, 1.5)
            name, number = Side.name, Side.number
            connection = await kind.open()
            try:
                first = await connection.ask()
                if name and number == Side.number and first != name:
                    raise ValueError(f"{first} answered after the switch to {name}")
                while not ending.is_set() and asyncio.get_running_loop().time() < end:
                    side = await connection.ask()
                    if side != first:
                        raise ValueError(f"a connection to {first} was answered by {side}")
                    counts[way][side] += 1
                    await asyncio.sleep(0.01)
            finally:
                connection.close()

    return body


async def udp():
    exchange = await Exchange.open()
    while not ending.is_set():
        name, number = Side.name, Side.number
        side = await exchange.ask()
        if side:
            counts["udp"][side] += 1
            if name and number == Side.number and side != name:
                raise ValueError(f"{side} answered a datagram after the switch to {name}")
        await asyncio.sleep(0.005)


async def switch():
    """Back and forth. What is asked after a switch returned has to reach the new side, whichever way."""
    exchange = await Exchange.open()
    for _ in range(options.rounds):
        for command, name in ((options.start, "workspace"), (options.stop, "original")):
            Side.become(None)
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
            said = (await process.communicate())[1].decode()
            if process.returncode != 0:
                raise ChildProcessError(f"{' '.join(command)}: status {process.returncode}: {said}")
            Side.become(name)
            answers = await asyncio.gather(once(HTTP), once(WebSocket), once(HTTP2), exchange.ask(tries=3))
            counts["switches"][name] += 1
            if set(answers) != {name}:
                errors.append(f"switch to {name}: {answers}")
            await asyncio.sleep(random.uniform(0, 0.03))
    ending.set()


async def guarded(way, body):
    """Runs a way until the end; a failure is noted and the way begun again."""
    while not ending.is_set():
        try:
            await body()
        except Exception as error:
            errors.append(f"{way}: {error!r}")
            if way == "switches":
                ending.set()


async def main():
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ending.set)
    print("ready", flush=True)
    ways = [("http", new)] * 2 + [("kept", lasting("kept", HTTP))] * 2 + [("udp", udp)]
    ways += [("websocket", lasting("websocket", WebSocket)), ("http2", lasting("http2", HTTP2))] * 2
    tasks = [guarded(way, body) for way, body in ways if way in options.ways]
    if options.rounds:
        counts["switches"] = Counter()
        tasks.append(guarded("switches", switch))
    await asyncio.gather(*tasks)
    print(json.dumps({"errors": errors, "counts": counts}))


asyncio.run(main())
