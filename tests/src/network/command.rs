//! `ip` and its like, with words about what went wrong.

use std::io::Write;
use std::process::{Child, Command, Stdio};

/// Runs a program; an error tells what it said.
pub fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    said(program, arguments).map(drop)
}

/// Runs a program and tells what it said.
pub fn said(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let why = String::from_utf8_lossy(&output.stderr);
            Err(format!("«{program} {}»: {}", arguments.join(" "), why.trim()))
        }
    }
}

/// Runs `ip`.
pub fn ip(arguments: &[&str]) -> Result<(), String> {
    run("ip", arguments)
}

/// Runs several commands of `ip` in a namespace, or in that of the runner.
pub fn ip_batch(space: Option<&str>, commands: &[String]) -> Result<(), String> {
    ip_all(vec![(space.map(str::to_owned), commands.to_vec())])
}

/// The same in several namespaces at once.
pub fn ip_all(batches: Vec<(Option<String>, Vec<String>)>) -> Result<(), String> {
    let started: Vec<Child> =
        batches.iter().map(|(space, commands)| start(space, commands)).collect::<Result<_, _>>()?;
    let mut done = Ok(());
    for (child, (space, commands)) in started.into_iter().zip(&batches) {
        let output = child.wait_with_output().map_err(|error| format!("ip: {error}"))?;
        if !output.status.success() {
            let (why, space) = (String::from_utf8_lossy(&output.stderr), space.as_deref());
            let space = space.unwrap_or("the host");
            let commands = commands.join("; ");
            done = Err(format!("ip, in {space}: {}; of: {commands}", why.trim()));
        }
    }
    done
}

fn start(space: &Option<String>, commands: &[String]) -> Result<Child, String> {
    let failed = |error: std::io::Error| format!("ip: {error}");
    let mut command = Command::new("ip");
    if let Some(space) = space {
        command.args(["-n", space]);
    }
    let mut child = command
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut stdin = child.stdin.take().ok_or("ip has no input")?;
    stdin.write_all((commands.join("\n") + "\n").as_bytes()).map_err(failed)?;
    Ok(child)
}
