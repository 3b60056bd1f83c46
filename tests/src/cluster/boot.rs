//! Another boot of the host, as far as processes can see: the boot clock begins again, the boot id is
//! another one, and the wall clock has moved on. The boot clock is the kernel's own doing (a time
//! namespace); nothing of the kernel moves the wall clock for some processes only, so they are given
//! it by libfaketime, where they ask the C library for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::random::Random;

/// Moves the boot id's file over the kernel's, in a mount namespace of its own.
const WITH_BOOT_ID: &str = "mount --bind \"$0\" /proc/sys/kernel/random/boot_id && exec \"$@\"";

/// A boot that is faked.
pub struct Boot {
    boot_id: PathBuf,
    library: PathBuf,
    ahead: Duration,
}

impl Boot {
    /// One whose wall clock is `ahead` of the host's. An error says what is missing for it.
    pub fn new(root: &Path, ahead: Duration, random: &mut Random) -> Result<Boot, String> {
        let boot_id = root.join("boot_id");
        fs::write(&boot_id, format!("{}\n", uuid(random)))
            .map_err(|error| format!("{}: {error}", boot_id.display()))?;
        Ok(Boot { boot_id, library: library()?, ahead })
    }

    /// What is missing to fake one.
    pub fn lacks() -> Option<String> {
        library().err()
    }

    /// The words before a command line that is to run in it. The boot clock begins when they do.
    pub fn words(&self) -> Vec<String> {
        let from_zero = |clock| (-clock_gettime(clock).tv_sec).to_string();
        let mut words: Vec<String> = ["unshare", "--mount", "--time"].map(str::to_owned).into();
        words.extend(["--boottime".to_owned(), from_zero(ClockId::Boottime)]);
        words.extend(["--monotonic".to_owned(), from_zero(ClockId::Monotonic)]);
        words.extend(["/bin/sh", "-c", WITH_BOOT_ID].map(str::to_owned));
        words.push(self.boot_id.display().to_string());
        words.push("env".to_owned());
        words.push(format!("LD_PRELOAD={}", self.library.display()));
        words.push(format!("FAKETIME=+{}", self.ahead.as_secs()));
        words.extend(["FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1"].map(str::to_owned));
        words
    }
}

/// How long ago the boot of a process was, by its own clock.
pub fn boot_clock(pid: u32) -> Result<Duration, String> {
    let file = format!("/proc/{pid}/timens_offsets");
    let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let offset = offset_of(&text).ok_or_else(|| format!("{file} says: {text}"))?;
    let own = clock_gettime(ClockId::Boottime).tv_sec;
    Ok(Duration::from_secs(u64::try_from(own + offset).unwrap_or(0)))
}

fn offset_of(text: &str) -> Option<i64> {
    let line = text.lines().find(|line| line.starts_with("boottime"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn uuid(random: &mut Random) -> String {
    let number = (u128::from(random.next_u64()) << 64) | u128::from(random.next_u64());
    let digits = format!("{number:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn library() -> Result<PathBuf, String> {
    let folders = ["/usr/lib", "/usr/lib64"].map(PathBuf::from);
    let below = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let all = below.map(|entry| entry.path()).chain(folders.clone());
    let file = all.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|it| it.is_file());
    file.ok_or_else(|| {
        "libfaketime is missing: the wall clock of nodes cannot be set (Debian, Ubuntu: apt install \
         faketime)"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read() {
        let text = "monotonic      -10000         0\nboottime       -9000         0\n";
        assert_eq!(offset_of(text), Some(-9000));
        assert_eq!(offset_of(""), None);
    }

    #[test]
    fn a_boot_id_looks_like_one() {
        let id = uuid(&mut Random::new(3));
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
