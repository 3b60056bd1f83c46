"""Starts and stops a `holdfast dev` cluster for a test, and tells about its nodes."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary():
    """The built `holdfast`: HOLDFAST_BIN, or the release build of this clone."""
    named = os.environ.get("HOLDFAST_BIN")
    if named:
        return pathlib.Path(named)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    found = target / "release" / "holdfast"
    if not found.exists():
        raise SystemExit(f"{found} is missing: run `cargo build --release` first, or set HOLDFAST_BIN")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class DevCluster:
    """`holdfast dev` as a child process."""

    user, password, share = "test", "pass", "demo"

    def __init__(self, nodes=3, keep=False, extra=()):
        self.count, self.keep = nodes, keep
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-test-"))
        self.port = free_port()
        self.extra = list(extra)
        self.process = None

    def start(self, timeout=60):
        ready = self.dir / "ready"
        ready.unlink(missing_ok=True)
        command = [
            binary(), "dev", "--nodes", str(self.count), "--dir", self.dir / "cluster",
            "--smb-port", str(self.port), "--user", self.user, "--password", self.password,
            "--share", self.share, "--ready-file", ready, *self.extra,
        ]
        self.screen = open(self.dir / "screen", "ab")
        self.process = subprocess.Popen(
            [str(part) for part in command], stdout=self.screen, stderr=self.screen,
            stdin=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + timeout
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(
                    f"`holdfast dev` did not become ready; its screen:\n"
                    + (self.dir / "screen").read_text(errors="replace")
                )
            time.sleep(0.02)
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, _error, _trace):
        if kind is not None:
            self.keep = True
            print(f"kept for a look: {self.dir}")
        self.stop()

    def address(self, node):
        return f"127.0.0.{node}"

    def node_dir(self, node):
        return self.dir / "cluster" / f"node{node}"

    def pid(self, node):
        return int((self.node_dir(node) / "pid").read_text())

    def status(self, node):
        """What `holdfast status` prints of the cluster as one node sees it; "" without an answer."""
        answer = subprocess.run(
            [binary(), "status", "--node-dir", self.node_dir(node)],
            capture_output=True, text=True, timeout=20,
        )
        return answer.stdout if answer.returncode == 0 else ""

    def leader(self, timeout=30):
        """The id of the node that leads now."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for node in range(1, self.count + 1):
                found = re.search(r"^leader +node (\d+)$", self.status(node), re.MULTILINE)
                if found:
                    return int(found.group(1))
            time.sleep(0.1)
        raise AssertionError("no leader")

    def certificates(self):
        """The fencers' certificates: each incarnation that was proved dead, and when."""
        lines = set()
        for node in range(1, self.count + 1):
            lines.update(re.findall(r"^fencing .*$", self.status(node), re.MULTILINE))
        return sorted(lines)

    def listens(self, node):
        try:
            socket.create_connection((self.address(node), self.port), 0.3).close()
            return True
        except OSError:
            return False

    def wait_all(self, timeout=60):
        """Until every node serves again."""
        deadline = time.monotonic() + timeout
        missing = set(range(1, self.count + 1))
        while missing:
            missing = {node for node in missing if not self.listens(node)}
            if time.monotonic() > deadline:
                raise AssertionError(f"nodes {sorted(missing)} do not serve")
            time.sleep(0.02)


def alive(pid):
    """True if the process can still run: it exists and is no zombie."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in ("Z", "X")


def wait_stopped(pid, timeout=5):
    """Until every thread of the process stands still after a SIGSTOP."""
    deadline = time.monotonic() + timeout
    tasks = pathlib.Path(f"/proc/{pid}/task")
    while time.monotonic() < deadline:
        states = [(task / "stat").read_text().rsplit(")", 1)[1].split()[0] for task in tasks.iterdir()]
        if all(state == "T" for state in states):
            return
        time.sleep(0.001)
    raise AssertionError(f"process {pid} does not stop")
