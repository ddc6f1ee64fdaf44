"""A guest book in MariaDB."""

import os

import pymysql
from flask import Flask, jsonify, request

app = Flask(__name__)


def database():
    with open(os.environ["DB_PASSWORD_FILE"]) as file:
        password = file.read().strip()
    return pymysql.connect(
        host=os.environ["DB_HOST"], user=os.environ["DB_USER"], password=password, database=os.environ["DB_NAME"], autocommit=True, connect_timeout=5
    )


def query(statement, *values):
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS entry (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(1000) NOT NULL)")
        cursor.execute(statement, values)
        return cursor.fetchall()


@app.get("/healthz")
def healthz():
    query("SELECT 1")
    return jsonify(ok=True)


@app.get("/entries")
def entries():
    return jsonify(entries=[text for (text,) in query("SELECT text FROM entry ORDER BY id DESC LIMIT 100")])


@app.post("/entries")
def sign():
    query("INSERT INTO entry (text) VALUES (%s)", request.form["text"][:1000])
    return entries()
