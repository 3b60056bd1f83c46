//! Which file system a path lies on, and what is known of its kind.

use std::path::{Path, PathBuf};

use super::finding::Finding;

/// A mount, as `/proc/self/mountinfo` tells of it (proc_pid_mountinfo(5)).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// «ext4», «nfs4», «fuse.sshfs».
    pub kind: String,
    /// What is mounted: a device, a server's path.
    pub source: String,
    /// Options of the mount and of the file system.
    pub options: Vec<String>,
    /// Major and minor number of the device.
    pub device: (u32, u32),
}

/// The mount that `path`, absolute and without links, lies on.
pub fn mount_of(mountinfo: &str, path: &Path) -> Option<Mount> {
    let mounts = mountinfo.lines().filter_map(parse);
    // Of two at one place the later one hides the earlier.
    mounts
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.as_os_str().len())
}

fn parse(line: &str) -> Option<Mount> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let fields: Vec<&str> = mount.split(' ').collect();
    let (major, minor) = fields.get(2)?.split_once(':')?;
    let mut rest = filesystem.split(' ');
    let (kind, source) = (rest.next()?, rest.next()?);
    let options = fields.get(5)?.split(',').chain(rest.next().unwrap_or_default().split(','));
    Some(Mount {
        point: PathBuf::from(unescaped(fields.get(4)?)),
        kind: kind.to_owned(),
        source: unescaped(source),
        options: options.filter(|option| !option.is_empty()).map(str::to_owned).collect(),
        device: (major.parse().ok()?, minor.parse().ok()?),
    })
}

/// Spaces and the like are written as three octal digits.
fn unescaped(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digits = [ahead.next(), ahead.next(), ahead.next()];
        match digits {
            [Some(a @ b'0'..=b'3'), Some(b @ b'0'..=b'7'), Some(c @ b'0'..=b'7')]
                if byte == b'\\' =>
            {
                plain.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                bytes = ahead;
            }
            _ => plain.push(byte),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// What is known of a kind of file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Nature {
    /// A disk of this host.
    Disk,
    /// Memory.
    Memory,
    /// A layer that belongs to a container and goes with it.
    Layer,
    /// Another machine, or a process, carries operations out, and may do so after whoever asked
    /// for them is gone.
    Remote,
}

fn nature(kind: &str) -> Nature {
    const MEMORY: [&str; 3] = ["tmpfs", "ramfs", "rootfs"];
    const LAYER: [&str; 3] = ["overlay", "aufs", "unionfs"];
    const REMOTE: [&str; 14] = [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "virtiofs",
        "ceph",
        "glusterfs",
        "lustre",
        "gpfs",
        "beegfs",
        "afs",
        "vboxsf",
    ];
    match kind {
        kind if MEMORY.contains(&kind) => Nature::Memory,
        kind if LAYER.contains(&kind) => Nature::Layer,
        // fuseblk is how FUSE names drivers of local disks: a process all the same.
        kind if REMOTE.contains(&kind) || kind.starts_with("fuse") => Nature::Remote,
        _ => Nature::Disk,
    }
}

/// Options by which a mount promises what the medium does not do.
fn lying_option(mount: &Mount) -> Option<&str> {
    const LIES: [&str; 3] = ["nobarrier", "barrier=0", "volatile"];
    mount.options.iter().map(String::as_str).find(|option| LIES.contains(option))
}

fn shown(mount: &Mount) -> String {
    format!("{} ({})", mount.kind, mount.source)
}

fn unsynced(finding: Finding, option: &str) -> Finding {
    finding.fail(
        format!(
            "it is mounted with «{option}»: what is synced may be in a volatile cache, and is lost \
             at a power cut"
        ),
        format!("mount it without «{option}»"),
    )
}

/// Judges the file system that a node's log lies on.
pub fn judge_log(mount: &Mount) -> Finding {
    let finding = Finding::ok("log: file system", shown(mount));
    const ELSEWHERE: &str = "put [node] folder on a disk of this host";
    match nature(&mount.kind) {
        Nature::Memory => finding.fail(
            "it is memory: after a reboot the node has forgotten what it promised and may never \
             come back under its id",
            ELSEWHERE,
        ),
        Nature::Layer => finding.fail(
            "it goes with its container: the node would forget what it promised, and may never \
             come back under its id",
            "put [node] folder on a volume that outlives the container",
        ),
        Nature::Remote => finding
            .warn("every promise waits for it, and whatever stops it stops the node", ELSEWHERE),
        Nature::Disk => match lying_option(mount) {
            Some(option) => unsynced(finding, option),
            None => finding,
        },
    }
}

/// Judges the file system that a volume lies on. `what`: «volume 1». `by_command`: the site's
/// command fences every node.
pub fn judge_volume(what: &str, mount: &Mount, by_command: bool) -> Finding {
    let finding = Finding::ok(format!("{what}: file system"), shown(mount));
    if mount.options.iter().any(|option| option == "ro") {
        return finding.fail("it is mounted read-only", "mount it for writing");
    }
    match nature(&mount.kind) {
        Nature::Memory => finding.fail(
            "it is memory: what clients were told is on disk is gone after a reboot",
            "put the volume on a disk",
        ),
        Nature::Remote if !by_command => finding.warn(
            "it may carry out what a node asked for after that node's process was ended, which \
             then counts as proof that it can do no more",
            "have [fence] command cut nodes off from this storage, with use = \"command\"",
        ),
        Nature::Layer => finding.warn(
            "it goes with its container, and the files with it",
            "put the volume on storage that outlives the container",
        ),
        Nature::Disk | Nature::Remote => match lying_option(mount) {
            Some(option) => unsynced(finding, option),
            None => finding,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    const MOUNTS: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro
30 22 0:25 / /tmp rw,nosuid - tmpfs tmpfs rw,size=1024k
31 22 0:40 / /srv/a\\040b rw,relatime - nfs4 files:/export rw,vers=4.2,sync
32 22 254:1 / /srv/fast rw - xfs /dev/vdb rw,nobarrier
33 22 0:41 / /srv/layer rw - overlay overlay rw,lowerdir=/l,upperdir=/u,volatile
34 22 254:2 / /srv/read ro,relatime - ext4 /dev/vdc rw
35 22 0:50 / /srv/far rw - fuse.sshfs host:/ rw
36 22 0:51 / /tmp rw - ext4 /dev/vdd rw
";

    fn at(path: &str) -> Mount {
        mount_of(MOUNTS, Path::new(path)).unwrap()
    }

    #[test]
    fn a_path_lies_on_the_nearest_mount() {
        assert_eq!(at("/etc").kind, "ext4");
        assert_eq!(at("/srv/a b/x").kind, "nfs4");
        assert_eq!(at("/srv/a b/x").source, "files:/export");
        assert_eq!(at("/srv/a").source, "/dev/vda", "whole components");
        assert_eq!(at("/tmp/x").source, "/dev/vdd", "the later one");
        assert_eq!(at("/srv/fast").device, (254, 1));
        assert_eq!(mount_of("", Path::new("/")), None);
        assert_eq!(mount_of("nonsense\n - \n", Path::new("/")), None);
    }

    #[test]
    fn a_log_needs_a_disk() {
        let memory =
            mount_of(&MOUNTS.replace("36 22 0:51 / /tmp", "36 22 0:51 / /x"), Path::new("/tmp"));
        assert_eq!(judge_log(&at("/etc")).level, Level::Ok);
        assert_eq!(judge_log(&memory.clone().unwrap()).level, Level::Fail);
        assert_eq!(judge_log(&at("/srv/layer")).level, Level::Fail);
        assert_eq!(judge_log(&at("/srv/fast")).level, Level::Fail);
        assert_eq!(judge_log(&at("/srv/a b")).level, Level::Warn);
        assert_eq!(judge_log(&at("/srv/far")).level, Level::Warn);
        assert_eq!(judge_volume("v", &memory.unwrap(), false).level, Level::Fail);
    }

    #[test]
    fn a_volume_that_others_serve_wants_a_fence_of_its_own() {
        assert_eq!(judge_volume("v", &at("/etc"), false).level, Level::Ok);
        assert_eq!(judge_volume("v", &at("/srv/far"), false).level, Level::Warn);
        assert_eq!(judge_volume("v", &at("/srv/far"), true).level, Level::Ok);
        assert_eq!(judge_volume("v", &at("/srv/layer"), false).level, Level::Warn);
        assert_eq!(judge_volume("v", &at("/srv/fast"), true).level, Level::Fail);
        assert_eq!(judge_volume("v", &at("/srv/read"), true).level, Level::Fail);
    }
}
