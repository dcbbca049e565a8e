"""Asks for tasks as it is told: a line of JSON in, what was measured out."""

import json
import os
import sys
import threading
import time

import redis

from noop import process_content

ARGS = ("no-op", ["embed"])
backend = redis.Redis.from_url(os.environ["BACKEND"])


def quantile(values, share):
    return sorted(values)[max(0, -(-int(share * len(values) * 1000) // 1000) - 1)]


def measured(latencies, seconds):
    return {
        "perSecond": len(latencies) / seconds,
        "p50Ms": quantile(latencies, 0.5) * 1000,
        "p99Ms": quantile(latencies, 0.99) * 1000,
    }


def burst(count, connections):
    done = backend.dbsize() + count
    latencies = []

    def ask():
        for _ in range(count // connections):
            began = time.perf_counter()
            process_content.apply_async(ARGS)
            latencies.append(time.perf_counter() - began)

    began = time.perf_counter()
    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while backend.dbsize() < done:
        time.sleep(0.01)
    return measured(latencies, time.perf_counter() - began)


def sequence(count):
    latencies = []
    began = time.perf_counter()
    for _ in range(count):
        asked = time.perf_counter()
        process_content.apply_async(ARGS).get(timeout=30)
        latencies.append(time.perf_counter() - asked)
    return measured(latencies, time.perf_counter() - began)


for line in sys.stdin:
    asked = json.loads(line)
    kind = asked.pop("kind")
    print(json.dumps({"burst": burst, "sequence": sequence}[kind](**asked)), flush=True)
