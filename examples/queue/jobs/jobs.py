"""Jobs over RabbitMQ: `api` takes them by HTTP, `worker` does them. A job is a text, its result the number of its words."""

import json
import os
import socket
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pika


def connect():
    """A connection to the broker; it gives up after a minute, and the container is started again."""
    credentials = pika.PlainCredentials(os.environ["RABBITMQ_USER"], os.environ["RABBITMQ_PASSWORD"])
    return pika.BlockingConnection(
        pika.ConnectionParameters(os.environ["RABBITMQ_HOST"], credentials=credentials, connection_attempts=30, retry_delay=2, heartbeat=30)
    )


def declare(channel):
    for queue in ("jobs", "results"):
        channel.queue_declare(queue, durable=True)


def work():
    """Does one job at a time, and confirms it only when its result is safe."""
    channel = connect().channel()
    declare(channel)
    channel.basic_qos(prefetch_count=1)

    def do(channel, method, properties, body):
        job = json.loads(body)
        result = {"id": job["id"], "words": len(job["text"].split()), "worker": socket.gethostname()}
        channel.basic_publish("", "results", json.dumps(result), pika.BasicProperties(delivery_mode=2))
        channel.basic_ack(method.delivery_tag)
        print("done", job["id"])

    channel.basic_consume("jobs", do)
    print("waiting for jobs")
    channel.start_consuming()


RESULTS = {}


def collect():
    """Keeps every result that comes in; the process ends with it, so that nobody is told “pending” for ever."""
    try:
        channel = connect().channel()
        declare(channel)

        def keep(channel, method, properties, body):
            result = json.loads(body)
            RESULTS[result["id"]] = result
            channel.basic_ack(method.delivery_tag)

        channel.basic_consume("results", keep)
        channel.start_consuming()
    finally:
        os._exit(1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, {"ok": True})
        name = self.path.removeprefix("/jobs/")
        if name in RESULTS:
            return self.answer(200, RESULTS[name])
        self.answer(404, {"id": name, "state": "unknown or pending"})

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        job = {"id": uuid.uuid4().hex[:8], "text": text}
        connection = connect()
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("", "jobs", json.dumps(job), pika.BasicProperties(delivery_mode=2))
        connection.close()
        self.answer(202, {"id": job["id"]})


if __name__ == "__main__":
    if sys.argv[1:] == ["worker"]:
        work()
    else:
        threading.Thread(target=collect, daemon=True).start()
        ThreadingHTTPServer(("", 8080), Handler).serve_forever()
