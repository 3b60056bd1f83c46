"""Failover of real processes, judged by an independent client.

A client holds a persistent open through one node, locks a range and writes. A fault strikes. The
client asks for its open through another node; the same open must come back, the lock must still
stand against a third client, and every acknowledged write must be there.
"""
import argparse
import os
import pathlib
import random
import signal
import statistics
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from devcluster import DevCluster, alive, wait_stopped  # noqa: E402
from holdclient import (  # noqa: E402

    STATUS_FILE_LOCK_CONFLICT,
    STATUS_LOCK_NOT_GRANTED,
    Client,
    refused,
)

LIMITS = {"follower": 1.5, "leader": 1.5, "all": 5.0, "stop": 2.5}
BLOCK = 512


def block(round_number, sequence):
    """A block that tells which write of which round it is."""
    return struct.pack("<QQ", round_number, sequence) * (BLOCK // 16)


def choose_owner(cluster, fault, rng):
    """The node that the client works through, and that the fault strikes."""
    leader = cluster.leader()
    if fault == "leader":
        return leader
    others = [node for node in range(1, cluster.count + 1) if node != leader]
    return rng.choice(others)


def strike(cluster, fault, owner):
    """Carries the fault out; returns when it did, and the processes that must be dead."""
    pids = [cluster.pid(node) for node in range(1, cluster.count + 1)]
    victim = cluster.pid(owner)
    moment = time.monotonic()
    if fault == "all":
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    else:
        os.kill(victim, signal.SIGSTOP if fault == "stop" else signal.SIGKILL)
        if fault == "stop":
            # Until every thread stands still, the node may yet give the open up in good order.
            wait_stopped(victim)
        pids = [victim]
    return moment, pids


def quorum_back(cluster, pids):
    """When a majority of nodes listens again, after the old processes have gone."""
    while any(alive(pid) for pid in pids):
        time.sleep(0.001)
    while sum(cluster.listens(n) for n in range(1, cluster.count + 1)) * 2 <= cluster.count:
        time.sleep(0.005)
    return time.monotonic()


def come_back(cluster, client, handle, owner, rng, deadline):
    """Reconnects through any other node, as often as it takes."""
    nodes = [node for node in range(1, cluster.count + 1) if node != owner]
    rng.shuffle(nodes)
    last = None
    while time.monotonic() < deadline:
        for node in nodes:
            try:
                client.connect(cluster.address(node), timeout=5)
                handle.reconnect(client)
                return node
            except Exception as error:  # noqa: BLE001 - whatever it is, another node is tried
                last = error
                time.sleep(0.01)
    raise AssertionError(f"the open was lost: {type(last).__name__}: {last}")


def open_elsewhere(cluster, name, rng):
    """Another client's open of the same file, through whichever node serves: a node that is just
    coming back may yet close its connections once."""
    third = Client(cluster.user, cluster.password, cluster.share, cluster.port)
    deadline = time.monotonic() + 30
    while True:
        third.connect_any(cluster, rng.sample(range(1, cluster.count + 1), cluster.count))
        try:
            return third, third.open(name, persistent=False, durable=False, lease=0)
        except Exception:  # noqa: BLE001 - another node is tried
            if time.monotonic() > deadline:
                raise


def one_round(cluster, fault, number, rng):
    """Returns the seconds from the fault to the first acknowledged write, and a line about it."""
    cluster.wait_all()
    owner = choose_owner(cluster, fault, rng)
    client = Client(cluster.user, cluster.password, cluster.share, cluster.port)
    client.connect(cluster.address(owner))
    # Without a lease: a rival may open and lock without a break that this client must answer.
    handle = client.open(f"round-{fault}-{number}.dat", lease=0)
    if not handle.is_persistent():
        raise AssertionError("the open was not made persistent")
    handle.lock(0, 4096)
    writes = rng.randint(1, 20)
    for sequence in range(writes):
        handle.write(sequence * BLOCK, block(number, sequence))

    struck, pids = strike(cluster, fault, owner)
    start = quorum_back(cluster, pids) if fault == "all" else struck
    node = come_back(cluster, client, handle, owner, rng, struck + 60)
    dead = not any(alive(pid) for pid in pids)
    handle.write(writes * BLOCK, block(number, writes))
    took = time.monotonic() - start
    if not dead:
        raise AssertionError("the open came back while its former owner could still run")

    third, rival = open_elsewhere(cluster, handle.name, rng)
    refused(lambda: rival.lock(100, 1), STATUS_LOCK_NOT_GRANTED, STATUS_FILE_LOCK_CONFLICT)
    for sequence in range(writes + 1):
        got = bytes(handle.read(sequence * BLOCK, BLOCK))
        if got != block(number, sequence):
            raise AssertionError(f"acknowledged write {sequence} is not there")
    handle.unlock(0, 4096)
    rival.lock(100, 1)
    rival.close()
    handle.close()
    third.drop()
    client.drop()
    return took, f"owner {owner}, back through {node}, {writes} writes kept"


def run(fault, rounds, seed):
    rng = random.Random(f"{seed}-{fault}")
    times, lost = [], 0
    with DevCluster() as cluster:
        for number in range(rounds):
            try:
                took, line = one_round(cluster, fault, number, rng)
            except Exception as error:  # noqa: BLE001 - whatever it is, the round is lost
                lost += 1
                cluster.keep = True
                print(
                    f"  {fault} {number + 1}/{rounds}: FAILED: {type(error).__name__}: {error}",
                    flush=True,
                )
                continue
            times.append(took)
            print(f"  {fault} {number + 1}/{rounds}: {took:.3f} s, {line}", flush=True)
        if fault == "stop":
            print("\n".join("    " + line for line in cluster.certificates()[-4:]))
        if lost:
            print(f"  kept for a look: {cluster.dir}")
    median = statistics.median(times) if times else float("nan")
    worst = max(times) if times else float("nan")
    verdict = "ok" if not lost and worst <= LIMITS[fault] else "FAILED"
    print(
        f"{fault}: {rounds} rounds, {lost} lost, median {median:.3f} s, worst {worst:.3f} s "
        f"(limit {LIMITS[fault]} s): {verdict}",
        flush=True,
    )
    return verdict == "ok", lost


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", nargs="*", help="follower, leader, all or stop; without any, all four")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--loaded", action="store_true",
        help="the machine is busy: judge what is lost, print the times without judging them",
    )
    options = parser.parse_args()
    unknown = set(options.fault) - set(LIMITS)
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    results = [run(fault, options.rounds, options.seed) for fault in options.fault or LIMITS]
    good = [lost == 0 if options.loaded else ok for ok, lost in results]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    sys.exit(not all(good))

if __name__ == "__main__":
    main()
