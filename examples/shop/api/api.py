"""The shop's HTTP service: `/` counts visits in Redis and orders in PostgreSQL, `/healthz` says whether both answer."""

import json
import os
import signal
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import redis

CACHE = redis.Redis(
    host=os.environ.get("REDIS_HOST", "redis"),
    port=int(os.environ.get("REDIS_PORT", "6379")),
    socket_connect_timeout=2,
    socket_timeout=2,
)


def database():
    """Opens a connection; where to comes from libpq's own variables (PGHOST, PGUSER, …)."""
    return closing(psycopg2.connect("", connect_timeout=2))


def prepare(cursor):
    """Makes the table and its first rows where they are missing."""
    cursor.execute("SELECT pg_advisory_xact_lock(1)")
    cursor.execute("CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY, item text NOT NULL UNIQUE)")
    cursor.execute("SELECT count(*) FROM orders")
    if cursor.fetchone() == (0,):
        cursor.execute("INSERT INTO orders (item) VALUES ('mug'), ('plate'), ('bowl')")


def overview():
    with database() as connection, connection, connection.cursor() as cursor:
        # Per request, so that the service outlives a database that comes late or is made anew.
        prepare(cursor)
        cursor.execute("SELECT count(*), current_setting('server_version') FROM orders")
        orders, version = cursor.fetchone()
    answer = {"service": "api", "visits": CACHE.incr("visits"), "orders": orders, "postgres": version}
    greeting = os.environ.get("GREETING")
    return {**answer, "greeting": greeting} if greeting else answer


def health():
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    CACHE.ping()
    return {"status": "ok"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    routes = {"/": overview, "/healthz": health}

    def do_GET(self):
        route = self.routes.get(self.path.split("?", 1)[0])
        if route is None:
            return self.answer(404, {"error": "not found"})
        try:
            self.answer(200, route())
        except (psycopg2.Error, redis.RedisError) as error:
            self.answer(503, {"error": str(error).strip()})

    def answer(self, status, value):
        body = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        # The health check asks every second; only its failures are worth a line.
        if self.path != "/healthz" or int(code) != 200:
            super().log_request(code, size)


def main():
    server = ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("PORT", "8080"))), Handler)
    for number in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for the loop that this very thread runs, hence the other thread.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"listening on port {server.server_port}", file=sys.stderr)
    server.serve_forever()
    server.server_close()


main()
