"""`holdfast doctor` on a cluster that is well, and on what was made wrong on purpose."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from devcluster import DevCluster, binary  # noqa: E402

PROPERTIES = [
    "new names", "exclusive creates", "data", "size and times", "appends", "renames", "replacing",
    "removal", "extended attributes", "marks of creates",
]


def holdfast(*arguments):
    call = [str(binary()), *map(str, arguments)]
    return subprocess.run(call, capture_output=True, text=True, timeout=300)


def doctor(config, *more):
    """Exit status, and level and words of each check."""
    done = holdfast("doctor", "--config", config, "--json", *more)
    try:
        told = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise AssertionError(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.returncode, {check["check"]: check for check in told["checks"]}, told["verdict"]


def whole(config):
    """An examination in which every node took part: on a busy machine one may lose its lease."""
    for _ in range(10):
        status, checks, verdict = doctor(config)
        reasons = [check["reason"] for check in checks.values()]
        if not any("not examined" in r or "took part" in r or "could be" in r for r in reasons):
            break
        time.sleep(1)
    return status, checks, verdict


def must(holds, what, *shown):
    if not holds:
        raise AssertionError("\n".join([what, *map(str, shown)]))


def failed(status, checks):
    """The checks that failed, without those that tell how busy this machine is."""
    all_of_them = [name for name, check in checks.items() if check["verdict"] == "FAIL"]
    must(status == (1 if all_of_them else 0), f"exit status {status}", *checks.values())
    return [name for name in all_of_them if not name.endswith((": sync", ": path"))]


def settings(cluster, node):
    return cluster.node_dir(node) / "node.toml"


def a_cluster_that_is_well(cluster):
    for node in (1, 3):
        status, checks, verdict = whole(settings(cluster, node))
        must(not failed(status, checks), f"node {node} is well", *checks.values())
        must((verdict == "FAIL") == (status == 1), "the verdict is the exit status", verdict)
        others = [other for other in (1, 2, 3) if other != node]
        wanted = [f"volume 1: {name}" for name in PROPERTIES] + ["volume 1: one tree"]
        for name in [*wanted, *(f"node {other}: wall clock" for other in others)]:
            must(checks.get(name, {}).get("verdict") == "ok", f"«{name}» is ok", checks.get(name))
        for name in ["log: sync", "volume 1: sync", *(f"node {other}: path" for other in others)]:
            must("median" in checks[name]["figure"], f"«{name}» is measured", checks.get(name))
    left = list((cluster.dir / "cluster" / "volume" / ".holdfast-doctor").iterdir())
    must(not left, "nothing is left on the volume", left)
    shown = holdfast("doctor", "--config", settings(cluster, 1))
    must("volume 1: one tree" in shown.stdout and " ok, " in shown.stdout, "the screen", shown.stdout)
    print(shown.stdout, end="")


def move_volume(cluster, node, path):
    """Gives a node another path for its volume, and restarts it."""
    file, pid = settings(cluster, node), cluster.pid(node)
    lines = file.read_text().splitlines()
    volume = lines.index("[[volume]]")
    at = next(i for i in range(volume, len(lines)) if lines[i].startswith("path = "))
    before = lines[at]
    lines[at] = f'path = "{path}"'
    file.write_text("\n".join(lines) + "\n")
    os.kill(pid, 9)
    for _ in range(600):
        # A line of the node's own answer: it has joined and serves.
        if cluster.pid(node) != pid and ", serving," in cluster.status(node):
            return before
        time.sleep(0.1)
    raise AssertionError(f"node {node} does not come back")


def a_node_with_another_tree(cluster):
    elsewhere = cluster.dir / "elsewhere"
    elsewhere.mkdir()
    add = ["share", "add", "planted", "--node-dir", cluster.node_dir(1)]
    before = move_volume(cluster, 2, elsewhere)
    status, checks, verdict = whole(settings(cluster, 1))
    tree, availability = checks["volume 1: one tree"], checks["volume 1: availability"]
    must(status == 1 and verdict == "FAIL", "another tree fails", checks)
    must("node 2 does not see" in tree["reason"], "it is told whose", tree)
    must(availability["verdict"] == "FAIL", "availability is refused", availability)
    refused = holdfast(*add)
    told = "failed an examination" in refused.stderr
    must(refused.returncode == 1 and told, "no share is added", refused)
    cluster.wait_all()
    must("failed «holdfast doctor»" in cluster.status(3), "every node says so", cluster.status(3))

    move_volume(cluster, 2, before.split('"')[1])
    status, checks, _ = whole(settings(cluster, 1))
    must(not failed(status, checks), "it passes again", *checks.values())
    added = holdfast(*add)
    must(added.returncode == 0, "the share is added", added)


def without_a_node():
    """A log in memory, no node, no peer; and settings that are none."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory, tempfile.TemporaryDirectory() as disk:
        config = pathlib.Path(disk) / "node.toml"
        (pathlib.Path(disk) / "volume").mkdir()
        config.write_text(
            f'[node]\nid = 1\nfolder = "{memory}/node1"\n[cluster]\nlisten = "127.0.0.1:1"\n'
            '[[cluster.peer]]\nid = 1\naddress = "127.0.0.1:1"\n'
            '[[cluster.peer]]\nid = 2\naddress = "127.0.0.2:1"\n'
            '[[volume]]\nid = 1\npath = "volume"\n'
        )
        status, checks, _ = doctor(config)
        must(status == 1, "a log in memory fails", checks)
        must(checks["log: file system"]["verdict"] == "FAIL", "it is memory", checks)
        must(checks["node 2: address"]["verdict"] == "warn", "nobody listens", checks)
        status, checks, verdict = doctor(config, "--trials")
        must(not failed(status, checks) and verdict == "warn", "trials may forget", checks)
        must(os.listdir(memory) == [], "nothing is left", os.listdir(memory))
        config.write_text("[node]\n")
        judged = holdfast("doctor", "--config", config)
        must(judged.returncode == 2 and "node.id" in judged.stderr, "nothing to judge", judged)


def main():
    without_a_node()
    with DevCluster() as cluster:
        a_cluster_that_is_well(cluster)
        a_node_with_another_tree(cluster)
    print("doctor: a cluster that is well, a node with another tree, a log in memory: as it should be")


if __name__ == "__main__":
    main()
