//! The program itself, run as people run it.

#![allow(clippy::disallowed_methods, reason = "it waits for real processes")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_holdfast");

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("holdfast-cli-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Scratch(path)
    }

    fn settings(&self, id: u64) -> PathBuf {
        let file = self.0.join(format!("node{id}.toml"));
        let text = format!(
            "[node]\nid = {id}\nfolder = \"n{id}\"\n[smb]\nlisten = [\"127.0.0.{id}:4999\"]\n\
             [cluster]\nlisten = \"127.0.0.{id}:14999\"\n\
             [[cluster.peer]]\nid = 1\naddress = \"127.0.0.1:14999\"\n\
             [[cluster.peer]]\nid = 2\naddress = \"127.0.0.2:14999\"\n\
             [[volume]]\nid = 1\npath = \"volume\"\n"
        );
        fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What a test could not remove is left for its author to look at.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn holdfast(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn refused(output: &Output, because: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it was not refused");
    assert!(said.contains(because), "«{because}» is not in: {said}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn wrong_settings_are_told_with_file_line_and_remedy() {
    let scratch = Scratch::new("config");
    let file = scratch.settings(1);
    assert!(holdfast(&["config", "check", text(&file)]).status.success());
    let wrong = fs::read_to_string(&file).unwrap().replace("folder", "flder");
    fs::write(&file, wrong).unwrap();
    let output = holdfast(&["config", "check", text(&file)]);
    refused(&output, &format!("{}:3: node.flder: ", file.display()));
    refused(&output, "did you mean «folder»?");

    let file = scratch.settings(2);
    let text_before = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text_before}[fence]\ncommand = [\"cut-off\"]\n")).unwrap();
    let output = holdfast(&["config", "check", text(&file)]);
    let line = text_before.lines().count() + 2;
    refused(&output, &format!("{}:{line}: fence.command: ", file.display()));
    refused(&output, "is not an absolute path such as /usr/local/sbin/cut-off");
    let output = holdfast(&["dev", "--nodes", "1", "--fence-command", "/nowhere/cut-off", "now"]);
    refused(&output, "--fence-command: /nowhere/cut-off: No such file");
}

#[test]
fn nothing_begins_but_by_init_and_only_once() {
    let scratch = Scratch::new("init");
    let (first, second) = (scratch.settings(1), scratch.settings(2));
    let serve = holdfast(&["serve", "--config", text(&first)]);
    refused(&serve, "there is no node in this folder");
    assert!(!scratch.0.join("n1").exists(), "a refused start leaves nothing behind");

    let init = holdfast(&["cluster", "init", "--config", text(&first)]);
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    let said = String::from_utf8_lossy(&init.stdout).into_owned();
    let id = said.split("--cluster-id ").nth(1).unwrap().split_whitespace().next().unwrap();
    refused(&holdfast(&["cluster", "init", "--config", text(&first)]), "the folder is not empty");
    let joined = holdfast(&["cluster", "init", "--config", text(&second), "--cluster-id", id]);
    assert!(joined.status.success(), "{}", String::from_utf8_lossy(&joined.stderr));

    // Node 2's folder under node 1's settings.
    let mixed = fs::read_to_string(&first).unwrap().replace("\"n1\"", "\"n2\"");
    fs::write(&first, mixed).unwrap();
    refused(&holdfast(&["serve", "--config", text(&first)]), "node");
}

/// A dev cluster of one node, on a port of its own.
struct Dev {
    child: Child,
    root: PathBuf,
    _scratch: Scratch,
}

impl Dev {
    fn start(name: &str) -> Dev {
        let scratch = Scratch::new(name);
        let (root, ready) = (scratch.0.join("dev"), scratch.0.join("ready"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(PROGRAM)
            .args(["dev", "--nodes", "1", "--smb-port", &port.to_string()])
            .args(["--dir", text(&root), "--ready-file", text(&ready)])
            .args(["--user", "jane", "--password", "right horse"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut dev = Dev { child, root, _scratch: scratch };
        dev.wait_until("it is ready", |_| ready.exists());
        dev
    }

    fn node_dir(&self) -> PathBuf {
        self.root.join("node1")
    }

    fn pid(&self) -> Option<u32> {
        fs::read_to_string(self.node_dir().join("pid")).ok()?.trim().parse().ok()
    }

    fn ask(&self, arguments: &[&str]) -> Output {
        holdfast(&[arguments, &["--node-dir", text(&self.node_dir())]].concat())
    }

    #[track_caller]
    fn wait_until(&mut self, what: &str, holds: impl Fn(&Dev) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < Duration::from_secs(30), "not in time: {what}");
            assert!(self.child.try_wait().unwrap().is_none(), "dev ended before: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended by the test's own doing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_dev_cluster_is_administered_and_its_node_comes_back() {
    let mut dev = Dev::start("respawn");
    let users = dev.ask(&["user", "list"]);
    assert_eq!(String::from_utf8_lossy(&users.stdout), "jane\n");
    assert!(String::from_utf8_lossy(&dev.ask(&["share", "list"]).stdout).starts_with("demo  "));
    refused(&dev.ask(&["user", "remove", "nobody"]), "there is no user «nobody»");

    let mut add = Command::new(PROGRAM)
        .args(["user", "add", "joe", "--node-dir", text(&dev.node_dir())])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    add.stdin.take().unwrap().write_all(b"wrong horse\n").unwrap();
    assert!(add.wait().unwrap().success());
    refused(&dev.ask(&["share", "add", "demo"]), "share «demo» is there already");

    let first = dev.pid().unwrap();
    Command::new("kill").args(["-9", &first.to_string()]).status().unwrap();
    dev.wait_until("the node is started again", |dev| {
        dev.pid().is_some_and(|pid| pid != first) && dev.ask(&["user", "list"]).status.success()
    });
    let users = dev.ask(&["user", "list"]);
    assert_eq!(String::from_utf8_lossy(&users.stdout), "jane\njoe\n");

    let lines = BufReader::new(dev.child.stdout.take().unwrap()).lines();
    Command::new("kill").args(["-INT", &dev.child.id().to_string()]).status().unwrap();
    assert!(dev.child.wait().unwrap().success());
    let screen = lines.map(Result::unwrap).collect::<Vec<_>>().join("\n");
    assert!(screen.contains(&format!("node 1 (pid {first}) ended: killed (signal 9)")), "{screen}");
    assert!(screen.contains("smbclient //127.0.0.1/demo"), "{screen}");
}

#[test]
fn a_node_is_drained_resumed_and_never_fences_itself() {
    let dev = Dev::start("node");
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    refused(&dev.ask(&["node", "fence", "1"]), "say --yes if that is meant");
    refused(&dev.ask(&["node", "fence", "1", "--yes"]), "a node does not fence itself");
    refused(&dev.ask(&["node", "fence", "7", "--yes"]), "there is no node 7");
    refused(&dev.ask(&["node", "status", "7"]), "there is no such node");
    refused(&dev.ask(&["node", "drain", "1"]), "node 1 is the only live node");

    let drained = dev.ask(&["node", "drain", "1", "--force"]);
    assert!(drained.status.success() && said(&drained).contains("serves nobody any more"));
    assert!(said(&dev.ask(&["status"])).contains("DRAINED"));
    assert!(dev.ask(&["node", "resume", "1"]).status.success());
    assert!(said(&dev.ask(&["status"])).contains(", serving,"));
    assert!(said(&dev.ask(&["node", "status", "1"])).starts_with("node 1   live"));
}

#[test]
fn nodes_end_with_the_dev_that_started_them() {
    let mut dev = Dev::start("parent");
    let node = dev.pid().unwrap();
    assert!(lives(node));
    dev.child.kill().unwrap();
    dev.child.wait().unwrap();
    let begun = Instant::now();
    while lives(node) {
        assert!(begun.elapsed() < Duration::from_secs(5), "the node outlives dev");
        std::thread::sleep(Duration::from_millis(10));
    }
}
