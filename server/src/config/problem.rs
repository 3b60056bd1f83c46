//! What is wrong with a settings file, as its author needs to hear it.

use std::fmt;
use std::path::PathBuf;

/// One thing to put right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// The setting, with its sections: `smb.listen`. Empty when the file is not TOML.
    pub setting: String,
    /// What is wrong and what would be right.
    pub what: String,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {error}", file.display())]
    Unreadable { file: PathBuf, error: std::io::Error },
    /// It can, and must be changed first.
    #[error("{}", Listed { file, problems })]
    Wrong {
        file: PathBuf,
        /// At least one, in the order of lines.
        problems: Vec<Problem>,
    },
}

/// One line a problem, in the form that editors jump to.
struct Listed<'a> {
    file: &'a PathBuf,
    problems: &'a [Problem],
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:{}: ", self.file.display(), problem.line)?;
            if !problem.setting.is_empty() {
                write!(f, "{}: ", problem.setting)?;
            }
            write!(f, "{}", problem.what)?;
        }
        Ok(())
    }
}
