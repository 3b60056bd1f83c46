//! One seed in a process of its own: nothing of an earlier run can leak into it.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use holdfast_cluster::planted::PlantedBug;

use crate::report::{Counters, Report, exit};

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub seed: u64,
    /// One of [`exit`].
    pub code: u8,
    pub report: Report,
    /// What the worker said, if it failed.
    pub said: String,
}

impl Outcome {
    pub fn is_ok(&self) -> bool {
        self.code == exit::OK
    }

    /// What failed, in a word.
    pub fn kind(&self) -> &'static str {
        match self.code {
            exit::OK => "ok",
            exit::LIVENESS => "liveness",
            exit::CORRECTNESS => "correctness",
            _ => "crash",
        }
    }
}

/// A run may not take longer than this, in real time: it hangs.
const LIMIT_SECONDS: u64 = 600;

/// How workers are started.
#[derive(Clone, Debug)]
pub struct Worker {
    program: PathBuf,
    planted: Option<PlantedBug>,
    leaning: Option<PlantedBug>,
    /// Address-space randomisation can be switched off: one source of differences less.
    fixed_addresses: bool,
}

impl Worker {
    pub fn new(program: PathBuf, planted: Option<PlantedBug>) -> Worker {
        let tried = Command::new("setarch").args(["-R", "true"]).stderr(Stdio::null()).status();
        let fixed_addresses = tried.is_ok_and(|status| status.success());
        Worker { program, planted, leaning: None, fixed_addresses }
    }

    /// The same plans without the bug, which they lean towards all the same.
    pub fn without_bug(&self) -> Worker {
        Worker { planted: None, leaning: self.planted, ..self.clone() }
    }

    /// The command line that runs `seed`.
    pub fn command(&self, seed: u64, trace: bool) -> Command {
        let mut command = match self.fixed_addresses {
            true => {
                let mut command = Command::new("setarch");
                command.arg("-R").arg(&self.program);
                command
            }
            false => Command::new(&self.program),
        };
        command.arg(seed.to_string());
        if let Some(bug) = self.planted {
            command.args(["--planted", bug.name()]);
        }
        if let Some(bug) = self.leaning {
            command.args(["--leaning", bug.name()]);
        }
        if trace {
            command.arg("--trace");
        }
        command
    }

    /// Runs `seed` to its end.
    pub fn run(&self, seed: u64) -> io::Result<Outcome> {
        let mut child = Command::new("timeout")
            .arg(LIMIT_SECONDS.to_string())
            .args(as_arguments(&self.command(seed, false)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stderr = child.stderr.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            // What cannot be read is not told; the exit code still is.
            let _ = io::Read::read_to_end(&mut stderr, &mut text);
            text
        });
        let output = child.wait_with_output()?;
        let errors = errors.join().unwrap_or_default();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let report = stdout.lines().rev().find_map(Report::from_line);
        let code = output.status.code().and_then(|code| u8::try_from(code).ok());
        let code = match (code, &report) {
            (Some(code), Some(_)) => code,
            _ => exit::CRASH,
        };
        Ok(Outcome {
            seed,
            code,
            report: report.unwrap_or(Report {
                seed,
                counters: Counters::default(),
                ..Report::default()
            }),
            said: gist(&String::from_utf8_lossy(&errors)),
        })
    }

    /// The line with which a person runs the seed again.
    pub fn replay_line(&self, seed: u64) -> String {
        let planted = match self.planted {
            Some(bug) => format!(" --planted {}", bug.name()),
            None => String::new(),
        };
        format!("cargo run -p holdfast-sim -- run --seed {seed}{planted}")
    }
}

fn as_arguments(command: &Command) -> Vec<std::ffi::OsString> {
    std::iter::once(command.get_program()).chain(command.get_args()).map(Into::into).collect()
}

/// What matters of what somebody said: the panic with its message, or else the end.
fn gist(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let panic = lines.iter().position(|line| line.contains("panicked at"));
    let from = panic.unwrap_or(lines.len().saturating_sub(12));
    let told = &lines[from..];
    let frames = told.iter().position(|line| line.starts_with("stack backtrace"));
    told[..frames.unwrap_or(told.len()).min(12)].join("\n")
}

/// How long something took, for people.
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::gist;

    #[test]
    fn a_panic_is_told_without_its_frames() {
        let said = "a log line\nthread 'n1' panicked at log.rs:3:\nlost an entry\nstack backtrace:\n  0: x";
        assert_eq!(gist(said), "thread 'n1' panicked at log.rs:3:\nlost an entry");
        assert_eq!(gist("one\ntwo"), "one\ntwo");
    }
}
