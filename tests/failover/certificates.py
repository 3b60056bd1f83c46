"""Nodes that know each other by certificates: strangers get nowhere, a new node fetches its
certificate by a token, and certificates and authority are replaced while clients work, who notice
nothing.

Some clients write through persistent opens, one on each node; others open and close files, which
takes a commit of the nodes each time.
"""
import argparse
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from devcluster import DevCluster, binary  # noqa: E402
from drain import Writer, holdfast  # noqa: E402
from holdclient import Client  # noqa: E402

TOOK = "took the certificates anew"


class Opener(threading.Thread):
    """Opens and closes files through one node, one after the other."""

    def __init__(self, cluster, node):
        super().__init__(daemon=True)
        self.node = node
        self.client = Client(cluster.user, cluster.password, cluster.share, cluster.port)
        self.client.connect(cluster.address(node))
        self.opened, self.slowest, self.error, self.going = 0, 0.0, None, True

    def run(self):
        try:
            while self.going:
                begun = time.monotonic()
                self.client.open(f"opened{self.node}-{self.opened % 50}.dat", lease=0).close()
                self.slowest = max(self.slowest, time.monotonic() - begun)
                self.opened += 1
        except BaseException as error:  # noqa: BLE001 - told by whoever joins
            self.error = error


class Nodes:
    """The nodes' side of a dev cluster with certificates."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.folder = cluster.dir / "cluster"
        self.authority = self.folder / "authority"
        self.port = int(re.search(r"^peer_port = (\d+)", (self.folder / "dev.toml").read_text(), re.M)[1])
        self.taken = {node: 0 for node in self.all()}

    def all(self):
        return range(1, self.cluster.count + 1)

    def certificates(self, node):
        return self.folder / "certificates" / f"node{node}"

    def log(self, node):
        return (self.cluster.node_dir(node) / "log").read_text(errors="replace")

    def said(self, node, what, timeout=15):
        deadline = time.monotonic() + timeout
        while not any("WARN" in line and what in line for line in self.log(node).splitlines()):
            if time.monotonic() > deadline:
                raise AssertionError(f"node {node} did not say «{what}»:\n{self.log(node)[-3000:]}")
            time.sleep(0.05)

    def take(self, node, hint):
        """Until the node has taken new files; asked by a signal, or left to find out."""
        if hint:
            os.kill(self.cluster.pid(node), signal.SIGHUP)
        deadline = time.monotonic() + 15
        while self.log(node).count(TOOK) <= self.taken[node]:
            if time.monotonic() > deadline:
                raise AssertionError(f"node {node} did not take its certificates:\n{self.log(node)[-3000:]}")
            time.sleep(0.05)
        self.taken[node] = self.log(node).count(TOOK)

    def command(self, *arguments):
        return holdfast("cluster", "certificates", *arguments)

    def trust_everywhere(self, hint):
        for node in self.all():
            self.command("trust", "--authority", self.authority, "--out", self.certificates(node))
            self.take(node, hint)

    def issue_everywhere(self, hint):
        for node in self.all():
            self.command(
                "issue", "--authority", self.authority, "--node", node, "--out", self.certificates(node)
            )
            self.take(node, hint)

    def name(self, node):
        shown = self.command("status", "--dir", self.certificates(node))
        return re.search(r"^node +(\S+)", shown, re.M)[1]


def strangers(nodes):
    """What others hear who come to a node's port, and what the node says of them."""
    address = (nodes.cluster.address(1), nodes.port)
    with socket.create_connection(address, 5) as plain:
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        plain.settimeout(5)
        try:
            answer = plain.recv(100)
        except ConnectionResetError:
            answer = b""
        if answer:
            raise AssertionError(f"plain text was answered: {answer!r}")
    nodes.said(1, "it does not speak TLS")

    trusted = nodes.certificates(2) / "authorities.pem"
    context = ssl.create_default_context(cafile=str(trusted))
    with socket.create_connection(address, 5) as tcp:
        try:
            with context.wrap_socket(tcp, server_hostname=nodes.name(1)) as tls:
                tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                if tls.recv(100):
                    raise AssertionError("somebody without a certificate was answered")
        except (ssl.SSLError, ConnectionResetError):
            pass
    nodes.said(1, "it shows no certificate")

    # OpenSSL agrees that the certificates are what they should be.
    context.load_cert_chain(nodes.certificates(2) / "node.pem")
    with socket.create_connection(address, 5) as tcp:
        with context.wrap_socket(tcp, server_hostname=nodes.name(1)) as tls:
            if tls.version() != "TLSv1.3":
                raise AssertionError(tls.version())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(address, 5) as tcp:
        try:
            context.wrap_socket(tcp, server_hostname=nodes.name(1))
            raise AssertionError("TLS 1.2 was spoken")
        except (ssl.SSLError, ConnectionResetError):
            pass


def token(nodes):
    """A new node fetches its certificate from node 1: once, and only what is its own."""
    settings = nodes.folder / "node1" / "node.toml"
    made = nodes.command("token", "--authority", nodes.authority, "--node", 9, "--config", settings)
    new = nodes.cluster.dir / "new"
    new.mkdir()
    for number in (8, 9):
        (new / f"node{number}.toml").write_text(
            f"""
[node]
id = {number}
folder = "folder{number}"
[cluster]
listen = "192.0.2.{number}:14451"
certificates = "certificates{number}"
[[cluster.peer]]
id = {number}
address = "192.0.2.{number}:14451"
[[volume]]
id = 1
path = "volume"
"""
        )

    def join(number, token):
        return subprocess.run(
            [str(part) for part in (binary(), "cluster", "init", "--config", new / f"node{number}.toml", "--token")],
            input=token + "\n", capture_output=True, text=True, timeout=60,
        )

    forged = made[:-8] + ("0" * 8 if made[-8:] != "0" * 8 else "1" * 8)
    for wrong, why in ((forged, "not known there"), ("rubbish", "this is no token")):
        answer = join(9, wrong)
        if answer.returncode != 1 or why not in answer.stderr:
            raise AssertionError(f"a wrong token: {answer}")
    answer = join(9, made)
    if answer.returncode != 0:
        raise AssertionError(f"a good token: {answer}")
    nodes.command("status", "--config", new / "node9.toml")
    answer = join(8, made)
    if answer.returncode != 1 or "not known there" not in answer.stderr:
        raise AssertionError(f"a token that was used: {answer}")
    for folder in (nodes.cluster.node_dir(1) / "log", nodes.cluster.dir / "screen"):
        if made.split(",")[2] in folder.read_text(errors="replace"):
            raise AssertionError("a secret is in the log")


def rotate(nodes):
    # By themselves once, by a signal from then on.
    nodes.issue_everywhere(hint=False)
    nodes.command("rotate", "--authority", nodes.authority)
    nodes.trust_everywhere(hint=True)
    nodes.issue_everywhere(hint=True)
    nodes.command("rotate", "--authority", nodes.authority, "--finish")
    nodes.trust_everywhere(hint=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="replacements of everything")
    parser.add_argument("--limit", type=float, default=0.3, help="the longest pause, in seconds")
    parser.add_argument("--loaded", action="store_true", help="the machine is busy: do not judge pauses")
    arguments = parser.parse_args()
    with DevCluster(extra=["--tls"]) as cluster:
        nodes = Nodes(cluster)
        strangers(nodes)
        token(nodes)
        lives = {node: cluster.pid(node) for node in nodes.all()}
        writers = [Writer(cluster, node, [node]) for node in nodes.all()]
        openers = [Opener(cluster, node) for node in nodes.all()]
        for client in writers + openers:
            client.start()
        begun = time.monotonic()
        for _ in range(arguments.rounds):
            rotate(nodes)
        took = time.monotonic() - begun
        # What was opened anew since the last replacement shows as well.
        time.sleep(1.0)
        for client in writers + openers:
            client.going = False
        for client in writers + openers:
            client.join(30)
            if client.error or client.is_alive():
                raise AssertionError(f"a client saw an error: {client.error!r}")
        if lives != {node: cluster.pid(node) for node in nodes.all()}:
            raise AssertionError("a node was started anew")
        if cluster.certificates():
            raise AssertionError(f"somebody was fenced: {cluster.certificates()}")

        # A node that is left behind is cut off, and only that.
        nodes.command("rotate", "--authority", nodes.authority)
        kept = (nodes.certificates(3) / "node.pem").read_bytes()
        nodes.trust_everywhere(hint=True)
        nodes.issue_everywhere(hint=True)
        (nodes.certificates(3) / "node.pem").write_bytes(kept)
        nodes.take(3, hint=True)
        nodes.command("rotate", "--authority", nodes.authority, "--finish")
        for node in (1, 2):
            nodes.command("trust", "--authority", nodes.authority, "--out", nodes.certificates(node))
            nodes.take(node, hint=True)
        nodes.said(1, "ended the stream of a node")
        left = Client(cluster.user, cluster.password, cluster.share, cluster.port)
        left.connect(cluster.address(cluster.leader() if cluster.leader() != 3 else 1))
        left.open("after.dat", lease=0).close()

        pause = max(writer.pause for writer in writers)
        slowest = max(opener.slowest for opener in openers)
        print(
            f"{arguments.rounds} replacements in {took:.1f} s under {sum(w.written for w in writers)} "
            f"writes and {sum(o.opened for o in openers)} opens, no error, no restart; longest pause "
            f"{pause * 1000:.0f} ms (writes), {slowest * 1000:.0f} ms (opens)"
        )
        if max(pause, slowest) > arguments.limit and not arguments.loaded:
            print(f"a pause was longer than {arguments.limit} s")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
