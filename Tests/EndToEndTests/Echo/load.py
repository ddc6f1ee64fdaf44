"""Calls the echo service in every way until it is told to stop (SIGTERM), then prints what failed: JSON of counts by way and side."""

import asyncio
import json
import signal
import sys
from collections import Counter

HOST, PORT, UDP = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
WAYS = sys.argv[4:] or ["new", "kept", "stream", "udp"]
LIMIT = 10
counts = {way: Counter() for way in ("new", "kept", "stream", "udp")}
errors = []
ending = asyncio.Event()


async def request(reader, writer, close):
    writer.write(b"GET / HTTP/1.1\r\nHost: echo\r\n" + (b"Connection: close\r\n" if close else b"") + b"\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(head.split(b"\r\n")[0].decode())
    return (await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))).split()[0].decode()


async def new():
    while not ending.is_set():
        reader, writer = await asyncio.open_connection(HOST, PORT)
        counts["new"][await request(reader, writer, True)] += 1
        writer.close()


async def kept():
    reader, writer = await asyncio.open_connection(HOST, PORT)
    while not ending.is_set():
        counts["kept"][await request(reader, writer, False)] += 1
        await asyncio.sleep(0.005)


async def stream():
    reader, writer = await asyncio.open_connection(HOST, PORT)
    writer.write(b"GET / HTTP/1.1\r\nHost: echo\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    number = 0
    while not ending.is_set():
        number += 1
        writer.write(b"%d\n" % number)
        side, text = (await reader.readline()).decode().split()
        if int(text) != number:
            raise ConnectionError(f"line {number} came back as {text}")
        counts["stream"][side] += 1
        await asyncio.sleep(0.005)


class Answers(asyncio.DatagramProtocol):
    def __init__(self):
        self.waiting = {}

    def datagram_received(self, data, address):
        side, number = data.decode().split()
        future = self.waiting.pop(int(number), None)
        if future and not future.done():
            future.set_result(side)

    def error_received(self, error):
        counts["udp"]["refused"] += 1


async def udp():
    transport, answers = await asyncio.get_running_loop().create_datagram_endpoint(Answers, remote_addr=(HOST, UDP))
    number = 0
    while not ending.is_set():
        number += 1
        answers.waiting[number] = asyncio.get_running_loop().create_future()
        waiting = answers.waiting[number]
        transport.sendto(b"%d" % number)
        try:
            counts["udp"][await asyncio.wait_for(waiting, 0.5)] += 1
        except asyncio.TimeoutError:
            counts["udp"]["lost"] += 1
        await asyncio.sleep(0.002)


async def guarded(way, body):
    """Runs a way until the end; a failure is noted and the way begun again."""
    while not ending.is_set():
        task = asyncio.ensure_future(body())
        done, _ = await asyncio.wait({task, asyncio.ensure_future(ending.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if task not in done:
            try:
                await asyncio.wait_for(task, LIMIT)
            except Exception as error:
                errors.append(f"{way}: {error!r} at the end")
            return
        if task.exception():
            errors.append(f"{way}: {task.exception()!r}")


async def main():
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ending.set)
    print("ready", flush=True)
    ways = [("new", new)] * 3 + [("kept", kept)] * 2 + [("stream", stream)] * 2 + [("udp", udp)]
    await asyncio.gather(*[guarded(way, body) for way, body in ways if way in WAYS])
    print(json.dumps({"errors": errors, "counts": counts}))


asyncio.run(main())
