"""What clients of a continuously available share notice when their node is drained or restarted in
order: the longest pause between two acknowledged writes, and that nothing is lost.

Each client writes without a stop through a persistent open with a lock. When its connection goes,
it asks for the open at the next node. A third client must still be refused the locked range.
"""
import argparse
import os
import pathlib
import signal
import statistics
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from devcluster import DevCluster, binary  # noqa: E402
from holdclient import STATUS_LOCK_NOT_GRANTED, Client, refused  # noqa: E402

BLOCK = 512
GIVE_UP = 20


class Writer(threading.Thread):
    """Writes one block after the other, each a number further, wherever it is let."""

    def __init__(self, cluster, number, nodes):
        super().__init__(daemon=True)
        self.cluster, self.number, self.nodes = cluster, number, list(nodes)
        self.client = Client(cluster.user, cluster.password, cluster.share, cluster.port)
        self.client.connect(cluster.address(self.nodes[0]))
        self.handle = self.client.open(f"drain{number}.dat", lease=0)
        if not self.handle.is_persistent():
            raise AssertionError("the open is not persistent")
        self.handle.lock(0, 10)
        self.written, self.pause, self.error = 0, 0.0, None
        self.acknowledged = time.monotonic()
        self.going = True

    def run(self):
        try:
            while self.going:
                self.write_once()
        except BaseException as error:  # noqa: BLE001 - told by whoever joins
            self.error = error

    def write_once(self):
        block = struct.pack("<Q", self.written + 1) * (BLOCK // 8)
        while True:
            try:
                self.handle.write(BLOCK, block)
                break
            except Exception:  # noqa: BLE001 - the connection, whatever it is called
                self.elsewhere()
        self.written += 1
        now = time.monotonic()
        self.pause = max(self.pause, now - self.acknowledged)
        self.acknowledged = now

    def elsewhere(self):
        deadline = time.monotonic() + GIVE_UP
        while True:
            self.nodes.append(self.nodes.pop(0))
            try:
                self.client.connect(self.cluster.address(self.nodes[0]))
                self.handle.reconnect()
                return
            except Exception:  # noqa: BLE001 - the next node
                if time.monotonic() > deadline:
                    raise

    def begin_measuring(self):
        self.pause = 0.0

    def check(self, other):
        """Called when it rests: the last acknowledged block is there, and the lock stands."""
        found = struct.unpack_from("<Q", self.handle.read(BLOCK, BLOCK))[0]
        if found != self.written:
            raise AssertionError(f"client {self.number} wrote {self.written} and reads {found}")
        rival = other.open(f"drain{self.number}.dat", persistent=False, durable=False, lease=0)
        refused(lambda: rival.lock(0, 10), STATUS_LOCK_NOT_GRANTED)
        rival.close()


def holdfast(*arguments):
    done = subprocess.run(
        [str(part) for part in (binary(), *arguments)], capture_output=True, text=True, timeout=90
    )
    if done.returncode != 0:
        raise AssertionError(f"holdfast {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout.strip()


def one_round(cluster, how, victim, clients):
    nodes = list(range(1, cluster.count + 1))
    start = [victim] + [node for node in nodes if node != victim]
    writers = [Writer(cluster, number, start) for number in range(clients)]
    for writer in writers:
        writer.start()
    time.sleep(0.7)
    for writer in writers:
        writer.begin_measuring()
    asked = start[1]
    begun = time.monotonic()
    if how == "drain":
        holdfast("node", "drain", victim, "--node-dir", cluster.node_dir(asked))
    else:
        os.kill(cluster.pid(victim), signal.SIGTERM)
    took = time.monotonic() - begun
    time.sleep(1.0)
    for writer in writers:
        writer.going = False
    for writer in writers:
        writer.join(30)
        if writer.error or writer.is_alive():
            raise AssertionError(f"a client saw an error: {writer.error!r}")
    other = Client(cluster.user, cluster.password, cluster.share, cluster.port)
    other.connect(cluster.address(asked))
    for writer in writers:
        writer.check(other)
        writer.handle.close()
        writer.client.drop()
    other.drop()
    if how == "drain":
        if cluster.listens(victim):
            raise AssertionError("a drained node listens")
        holdfast("node", "resume", victim, "--node-dir", cluster.node_dir(asked))
    cluster.wait_all()
    return took, [writer.pause for writer in writers]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each kind")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--limit", type=float, default=0.3, help="the longest pause, in seconds")
    parser.add_argument("--loaded", action="store_true", help="the machine is busy: do not judge")
    arguments = parser.parse_args()
    slow = False
    with DevCluster() as cluster:
        for how in ("drain", "restart"):
            for whom in ("follower", "leader"):
                pauses, times = [], []
                for _ in range(arguments.rounds):
                    cluster.wait_all()
                    leader = cluster.leader()
                    victim = leader if whom == "leader" else leader % cluster.count + 1
                    took, seen = one_round(cluster, how, victim, arguments.clients)
                    pauses += seen
                    times.append(took)
                worst = max(pauses)
                slow |= worst > arguments.limit
                print(
                    f"{how:8} {whom:9} {len(pauses):3} clients, no error; pause median "
                    f"{statistics.median(pauses) * 1000:.0f} ms, longest {worst * 1000:.0f} ms"
                    + (f"; drained in {max(times):.2f} s at most" if how == "drain" else ""),
                    flush=True,
                )
    if slow and not arguments.loaded:
        print(f"a pause was longer than {arguments.limit} s")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
