"""smbprotocol against a cluster: leases and durable opens are given to who offered them, come
back after a lost connection, and break across nodes."""
import pathlib
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from devcluster import DevCluster  # noqa: E402
from holdclient import (  # noqa: E402
    RH,
    RWH,
    STATUS_LOCK_NOT_GRANTED,
    STATUS_SHARING_VIOLATION,
    Capabilities,
    Client,
    refused,
)
from smbprotocol.open import CreateDisposition  # noqa: E402


def new_client(cluster, node, **how):
    client = Client(cluster.user, cluster.password, cluster.share, cluster.port, **how)
    return client.connect(cluster.address(node))


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def lease_and_durable(cluster):
    client = new_client(cluster, 1)
    handle = client.open("durable.dat", persistent=False)
    check(handle.is_durable() and not handle.is_persistent(), "not durable")
    check(handle.lease_state() == RWH, f"lease {handle.lease_state()}")
    handle.write(0, b"before")
    client.drop()
    client.connect(cluster.address(1))
    handle.reconnect(client)
    check(bytes(handle.read(0, 6)) == b"before", "data differs")
    check(handle.lease_state() == RWH, "the lease did not come back")
    client.drop()
    client.connect(cluster.address(3))
    handle.reconnect(client)
    handle.write(0, b"after!")
    handle.close()


def nothing_that_was_not_offered(cluster):
    client = new_client(cluster, 2, capabilities=Capabilities.SMB2_GLOBAL_CAP_LARGE_MTU)
    handle = client.open("plain.dat")
    check(not handle.is_persistent(), "persistent, but the client did not offer it")
    check(not handle.lease_state(), "a lease, but the client did not offer leasing")
    handle.close()


def persistent_on_all_nodes(cluster):
    client = new_client(cluster, 1)
    handle = client.open("persistent.dat", lease=RH)
    check(handle.is_persistent(), "not persistent")
    handle.lock(10, 5)
    for round_number, node in enumerate((2, 3, 1, 3)):
        data = f"round {round_number}".encode()
        handle.write(100, data)
        client.drop()
        client.connect(cluster.address(node))
        handle.reconnect(client)
        check(bytes(handle.read(100, len(data))) == data, "data differs")
    other = new_client(cluster, 2)
    rival = other.open("persistent.dat", persistent=False, durable=False, lease=0)
    refused(lambda: rival.lock(12, 1), STATUS_LOCK_NOT_GRANTED)
    thief = new_client(cluster, 2)
    stolen = thief.open("other.dat", persistent=True)
    stolen.file_id, stolen.create_guid = handle.file_id, uuid.uuid4()
    try:
        stolen.reconnect()
        raise SystemExit("a thief was given the open")
    except AssertionError:
        raise
    except Exception:  # noqa: BLE001 - any refusal will do
        pass
    handle.close()
    rival.lock(12, 1)
    rival.close()


def share_modes_across_nodes(cluster):
    one, two = new_client(cluster, 1), new_client(cluster, 2)
    alone = one.open("alone.dat", share=0, lease=0, persistent=False, durable=False)
    refused(
        lambda: two.open("ALONE.dat", lease=0, persistent=False, durable=False),
        STATUS_SHARING_VIOLATION,
    )
    alone.close()
    two.open("alone.dat", lease=0, persistent=False, durable=False).close()


def same_name_once(cluster):
    """Two nodes, two spellings, one file."""
    clients = [new_client(cluster, node) for node in (1, 2, 3)]
    for number in range(20):
        names = [f"Race{number}.TXT", f"race{number}.txt", f"RACE{number}.txt"]
        results = []

        def create(client, name):
            try:
                handle = client.open(
                    name, disposition=CreateDisposition.FILE_CREATE, lease=0,
                    persistent=False, durable=False,
                )
                results.append(handle)
            except Exception:  # noqa: BLE001 - a collision
                pass

        threads = [threading.Thread(target=create, args=pair) for pair in zip(clients, names)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(len(results) == 1, f"{len(results)} of three FILE_CREATEs made the file")
        results[0].close()


def breaks_across_nodes(cluster):
    breaks(cluster, 1, 2)


def breaks_on_one_node(cluster):
    breaks(cluster, 3, 3)


def breaks(cluster, holds, contends):
    """A lease held through one node is broken by an open through another, which waits for it."""
    one, two = new_client(cluster, holds), new_client(cluster, contends)
    holder = one.open("broken.dat", persistent=False)
    check(holder.lease_state() == RWH, f"lease {holder.lease_state()}")
    holder.write(0, b"cached")
    done = []
    opener = threading.Thread(
        target=lambda: done.append(two.open("broken.dat", persistent=False, durable=False))
    )
    opener.start()
    key, current, new, wanted = one.breaks.get(timeout=5)
    check((key, current, new, wanted) == (holder.lease_key, RWH, RH, True), "another break")
    time.sleep(0.2)
    check(not done, "the contender did not wait")
    holder.write(0, b"flushed")
    begun = time.monotonic()
    one.acknowledge(key, new)
    opener.join(5)
    check(done, "the contender was not let in")
    print(f"    acknowledged to opened: {(time.monotonic() - begun) * 1e3:.1f} ms")
    check(bytes(done[0].read(0, 7)) == b"flushed", "stale data")
    check(done[0].lease_state() == RH, f"the contender's lease: {done[0].lease_state()}")
    # A write through the second node takes READ from the first, which need not acknowledge.
    done[0].write(0, b"changed")
    key, current, new, wanted = one.breaks.get(timeout=5)
    check((key, current, new) == (holder.lease_key, RH, 0), f"break {current} to {new}")
    if wanted:
        one.acknowledge(key, new)
    check(bytes(holder.read(0, 7)) == b"changed", "stale data")
    done[0].close()
    holder.close()


TESTS = [
    breaks_across_nodes,
    breaks_on_one_node,
    lease_and_durable,
    nothing_that_was_not_offered,
    persistent_on_all_nodes,
    share_modes_across_nodes,
    same_name_once,
]


def main():
    failed = 0
    with DevCluster() as cluster:
        for test in TESTS:
            begun = time.monotonic()
            try:
                test(cluster)
                print(f"  {test.__name__}: ok ({time.monotonic() - begun:.2f} s)", flush=True)
            except Exception as error:  # noqa: BLE001 - reported, and judged at the end
                failed += 1
                cluster.keep = True
                print(f"  {test.__name__}: FAILED: {type(error).__name__}: {error}", flush=True)
        if failed:
            print(f"kept for a look: {cluster.dir}")
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
