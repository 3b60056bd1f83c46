"""Samba's smbclient against every node of a cluster, signed and encrypted."""
import argparse
import hashlib
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from devcluster import DevCluster, binary  # noqa: E402


class Smbclient:
    """One way of calling smbclient."""

    def __init__(self, cluster, node, protection):
        self.cluster, self.node = cluster, node
        self.common = [
            "-p", str(cluster.port), "-U", f"{cluster.user}%{cluster.password}",
            "-m", "SMB3_11", f"--client-protection={protection}", "-d", "1",
        ]

    def run(self, *commands, good=True, share=None, user=None):
        where = f"//{self.cluster.address(self.node)}/{share or self.cluster.share}"
        call = ["smbclient", where, *self.common, "-c", ";".join(commands)]
        if user:
            call += ["-U", user]
        done = subprocess.run(call, capture_output=True, text=True, timeout=600)
        text = done.stdout + done.stderr
        if good and (done.returncode != 0 or "NT_STATUS" in text):
            raise AssertionError(f"{commands}: exit {done.returncode}\n{text}")
        if not good and done.returncode == 0 and "NT_STATUS" not in text:
            raise AssertionError(f"{commands} must fail\n{text}")
        return text

    def shares(self):
        call = ["smbclient", "-L", f"//{self.cluster.address(self.node)}", *self.common]
        done = subprocess.run(call, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"-L: {done.stdout}{done.stderr}")
        return done.stdout


def digest(path):
    total = hashlib.sha256()
    with open(path, "rb") as source:
        while piece := source.read(1 << 20):
            total.update(piece)
    return total.hexdigest()


def one_way(cluster, node, protection, payload, expected):
    client = Smbclient(cluster, node, protection)
    listed = client.shares()
    if cluster.share not in listed or "IPC$" not in listed:
        raise AssertionError(f"-L does not list the shares:\n{listed}")
    prefix = f"n{node}-{protection}"
    back = cluster.dir / f"back-{prefix}"
    begun = time.monotonic()
    client.run(f"put {payload} {prefix}.bin")
    middle = time.monotonic()
    client.run(f"get {prefix}.bin {back}")
    ended = time.monotonic()
    if digest(back) != expected:
        raise AssertionError("what came back differs")
    back.unlink()
    client.run(f"mkdir {prefix}-dir", f"rename {prefix}.bin {prefix}-dir\\Moved.bin")
    text = client.run(f"cd {prefix}-dir", "ls")
    if "Moved.bin" not in text:
        raise AssertionError(f"ls does not show the renamed file:\n{text}")
    text = client.run(f"allinfo {prefix}-dir\\mOVED.BIN")
    if "create_time" not in text:
        raise AssertionError(f"allinfo tells too little:\n{text}")
    # Another node sees it at once.
    other = Smbclient(cluster, node % cluster.count + 1, protection)
    other.run(f"ls {prefix}-dir\\Moved.bin")
    client.run(f"rmdir {prefix}-dir", good=False)
    client.run(f"del {prefix}-dir\\Moved.bin", f"rmdir {prefix}-dir")
    client.run(f"ls {prefix}-dir", good=False)
    size = os.path.getsize(payload) / 2**20
    print(
        f"  node {node}, {protection}: {size:.0f} MiB, put {size / (middle - begun):.0f} MiB/s, "
        f"get {size / (ended - middle):.0f} MiB/s",
        flush=True,
    )


def wrong_credentials(cluster):
    client = Smbclient(cluster, 1, "sign")
    for user in (f"{cluster.user}%wrong", "nobody%pass", "%"):
        text = client.run("ls", good=False, user=user)
        if "LOGON_FAILURE" not in text and "ACCESS_DENIED" not in text:
            raise AssertionError(f"{user} was refused for another reason:\n{text}")
    client.run("ls", good=False, share="absent")
    client.run("ls")


def encryption_for_all(cluster):
    """The cluster demands encryption: clients that can go on, those without our cipher are refused."""
    def demand(rule):
        subprocess.run(
            [binary(), "cluster", "set", "--encryption", rule, "--node-dir", cluster.node_dir(1)],
            check=True, capture_output=True, text=True, timeout=60,
        )

    call = ["smbclient", f"//{cluster.address(2)}/{cluster.share}", "-p", str(cluster.port),
            "-U", f"{cluster.user}%{cluster.password}", "-m", "SMB3_11", "-d", "1", "-c", "ls"]
    # «client smb encrypt=off» still offers ciphers, and encrypts when it is told to.
    without = [*call, "--option=client smb3 encryption algorithms=aes-128-ccm"]

    def fails(command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return done.returncode != 0 or "NT_STATUS" in done.stdout + done.stderr

    for rule, command, refused in (
        ("required", call, False), ("required", without, True), ("per-share", without, False),
    ):
        demand(rule)
        if fails(command) != refused:
            raise AssertionError(f"encryption {rule}: {command} must {'fail' if refused else 'work'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file that goes both ways")
    options = parser.parse_args()
    with DevCluster() as cluster:
        payload = cluster.dir / "payload"
        with open(payload, "wb") as target:
            for _ in range(options.mib):
                target.write(os.urandom(1 << 20))
        expected = digest(payload)
        for node in range(1, cluster.count + 1):
            for protection in ("sign", "encrypt"):
                one_way(cluster, node, protection, payload, expected)
        wrong_credentials(cluster)
        encryption_for_all(cluster)
    print("smbclient: all passed")


if __name__ == "__main__":
    main()
