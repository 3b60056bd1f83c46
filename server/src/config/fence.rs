//! How this node makes sure that others can do no more: the site's fence command, if it has one.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::quoted;
use super::reader::Section;

/// How long a fence command may take, where nobody says.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u64> = 1..=600;

/// A program of the site that cuts a node off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FenceCommand {
    /// Absolute; run without a shell.
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// After this long it is killed, and has proved nothing.
    pub timeout: Duration,
}

impl FenceCommand {
    /// A command with the default time-out: the program, then its arguments.
    ///
    /// # Errors
    /// What is wrong with the words or the program, and what would be right.
    pub fn of_words(mut words: Vec<String>) -> Result<FenceCommand, String> {
        if words.is_empty() {
            return Err("the list is empty; name a program and its arguments: \
                        [\"/usr/local/sbin/cut-off\", \"now\"]"
                .to_owned());
        }
        let program = PathBuf::from(words.remove(0));
        check_program(&program)?;
        Ok(FenceCommand { program, arguments: words, timeout: TIMEOUT_DEFAULT })
    }
}

/// What ends a node whose process this host can see.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FenceUse {
    /// SIGKILL to processes of this host; the command for nodes of other hosts.
    #[default]
    Process,
    /// The command for every node.
    Command,
}

/// The `[fence]` section.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FenceSettings {
    /// None: only nodes of this host can be fenced.
    pub command: Option<FenceCommand>,
    pub used: FenceUse,
}

impl FenceSettings {
    /// Reads `[fence]`; what is left out has its default.
    pub(super) fn read(section: &Section<'_>) -> Option<FenceSettings> {
        let left_out = section.absent("command");
        let command = section.optional("command", |v| v.words().and_then(FenceCommand::of_words));
        let timed = !section.absent("timeout_seconds");
        let timeout = section
            .optional("timeout_seconds", |v| v.number(TIMEOUT_SECONDS))
            .map(Duration::from_secs);
        let chosen = !section.absent("use");
        let used = section.optional("use", |v| match v.text()?.as_str() {
            "process" => Ok(FenceUse::Process),
            "command" => Ok(FenceUse::Command),
            other => Err(format!(
                "«{other}» is neither \"process\" (SIGKILL for nodes of this host, the command for \
                 others) nor \"command\" (the command for every node)"
            )),
        });
        section.finish();
        if left_out {
            let needs = "there is no command that it could be about: add command = \
                         [\"/usr/local/sbin/cut-off\"], or leave it out";
            if timed {
                section.wrong("timeout_seconds", needs);
            }
            if used == Some(FenceUse::Command) {
                section.wrong("use", needs);
            }
        }
        if (!left_out && command.is_none())
            || (timed && timeout.is_none())
            || (chosen && used.is_none())
        {
            return None;
        }
        let command = command
            .map(|command| FenceCommand { timeout: timeout.unwrap_or(command.timeout), ..command });
        Some(FenceSettings { command, used: used.unwrap_or_default() })
    }

    /// The `[fence]` section; empty where everything is left out.
    pub(super) fn to_toml(&self) -> String {
        let Some(command) = &self.command else { return String::new() };
        let mut words = vec![quoted(&command.program.to_string_lossy())];
        words.extend(command.arguments.iter().map(|argument| quoted(argument)));
        let used = match self.used {
            FenceUse::Process => "process",
            FenceUse::Command => "command",
        };
        format!(
            "\n[fence]\ncommand = [{}]\ntimeout_seconds = {}\nuse = \"{used}\"\n",
            words.join(", "),
            command.timeout.as_secs()
        )
    }
}

/// A node runs this program with its own rights, and believes it: it must be there, and nobody
/// else may put another in its place.
fn check_program(program: &Path) -> Result<(), String> {
    let shown = program.display();
    if !program.is_absolute() {
        return Err(format!(
            "«{shown}» is not an absolute path such as /usr/local/sbin/cut-off; no search path \
             and no shell is used"
        ));
    }
    let wrong = |error| format!("{shown}: {error}; name a program that is on this host");
    let real = fs::canonicalize(program).map_err(wrong)?;
    let found = fs::metadata(&real).map_err(wrong)?;
    if !found.is_file() {
        return Err(format!("{shown} is not a file; name a program"));
    }
    if found.mode() & 0o111 == 0 {
        return Err(format!("{shown} is not executable: chmod 0755 {shown}"));
    }
    if found.mode() & 0o022 != 0 {
        return Err(format!(
            "{shown} may be written by others than its owner, who could then have anything run by \
             this node: chmod go-w {shown}"
        ));
    }
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != 0 && found.uid() != own && own != 0 {
        return Err(format!(
            "{shown} belongs to user id {}; it must be root's, or belong to the user who runs this \
             node ({own})",
            found.uid()
        ));
    }
    // Whoever may write in a folder above it may put another program in its place. Group-writable
    // ones are how some distributions ship /usr/local.
    let above = program.ancestors().skip(1).chain(real.ancestors().skip(1));
    for folder in above {
        let mode = fs::metadata(folder).map_err(wrong)?.mode();
        if mode & 0o002 != 0 && mode & 0o1000 == 0 {
            return Err(format!(
                "{shown}: everybody may write in {}, and put another program there: chmod o-w {}",
                folder.display(),
                folder.display()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::tests::{GOOD, problems, refused};
    use super::super::{ConfigError, NodeConfig};
    use super::*;

    fn settings(section: &str) -> Result<FenceSettings, ConfigError> {
        NodeConfig::parse(Path::new("/etc/n.toml"), &format!("{GOOD}{section}"))
            .map(|config| config.fence)
    }

    /// The line of the first setting below `[fence]`.
    const FIRST: usize = 25;

    #[track_caller]
    fn wrong(settings: &str, setting: &str, what: &str) {
        let text = format!("{GOOD}\n[fence]\n{settings}\n");
        refused(&text, &format!("{FIRST}: fence.{setting}: "));
        let found = problems(&text);
        assert!(found.iter().any(|problem| problem.contains(what)), "no «{what}» in {found:#?}");
    }

    #[test]
    fn a_command_is_read_and_written_back() {
        let read = settings(
            "[fence]\ncommand = [\"/bin/sh\", \"-c\", \"exit \\\"0\\\"\"]\ntimeout_seconds = 7\n\
             use = \"command\"\n",
        )
        .unwrap();
        let command = read.command.as_ref().unwrap();
        assert_eq!(command.program, Path::new("/bin/sh"));
        assert_eq!(command.arguments, ["-c", "exit \"0\""]);
        assert_eq!(command.timeout, Duration::from_secs(7));
        assert_eq!(read.used, FenceUse::Command);
        assert_eq!(settings(&read.to_toml()).unwrap(), read);

        assert_eq!(settings("").unwrap(), FenceSettings::default());
        let plain = settings("[fence]\ncommand = [\"/bin/true\"]\n").unwrap();
        assert_eq!(plain.used, FenceUse::Process);
        assert_eq!(plain.command.unwrap().timeout, TIMEOUT_DEFAULT);
    }

    #[test]
    fn what_cannot_be_run_or_believed_is_told_with_its_remedy() {
        wrong("command = []", "command", "name a program");
        wrong("command = \"/bin/true\"", "command", "[\"/usr/local/sbin/cut-off\"");
        wrong("command = [\"true\"]", "command", "absolute path");
        wrong("command = [\"/nowhere/cut-off\"]", "command", "on this host");
        wrong("command = [\"/bin\"]", "command", "not a file");
        wrong("command = [\"/etc/passwd\"]", "command", "chmod 0755");
        wrong("command = [\"/bin/true\", 3]", "command", "text in quotes");
        wrong("timeout_seconds = 9", "timeout_seconds", "no command");
        wrong("use = \"command\"", "use", "no command");
        wrong("use = \"sometimes\"", "use", "neither");
        wrong("timeout_seconds = 0\ncommand = [\"/bin/true\"]", "timeout_seconds", "1 to 600");
        wrong("comand = [\"/bin/true\"]", "comand", "did you mean «command»?");
    }

    #[test]
    fn what_others_may_write_is_refused() {
        let folder = std::env::temp_dir().join(format!("holdfast-fence-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let program = folder.join("cut-off");
        fs::write(&program, "#!/bin/sh\n").unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        let check = || check_program(&program);

        mode(&program, 0o755).unwrap();
        let good = check();
        mode(&program, 0o775).unwrap();
        let group = check();
        mode(&program, 0o755).unwrap();
        mode(&folder, 0o777).unwrap();
        let anybody = check();
        mode(&folder, 0o1777).unwrap();
        let sticky = check();
        fs::remove_dir_all(&folder).unwrap();

        assert_eq!((good, sticky), (Ok(()), Ok(())));
        assert!(group.unwrap_err().contains("chmod go-w"));
        assert!(anybody.unwrap_err().contains("chmod o-w"));
    }
}
