//! Passwords come from a prompt or from standard input, never from the command line, where every
//! user of the host could read them.

use std::io::{self, BufRead, IsTerminal};

/// Longer ones are a mistake: a file was piped in.
const PASSWORD_MAX: usize = 256;

/// Asks for a new password twice, or reads one line where nobody can be asked.
pub fn read_new(user: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let password = if io::stdin().is_terminal() {
        let password = rpassword::prompt_password(format!("Password for «{user}»: "))?;
        if rpassword::prompt_password("Once more: ")? != password {
            return Err("the two passwords differ; nothing was changed".into());
        }
        password
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    check(&password)?;
    Ok(password)
}

/// Says what is wrong with a password.
pub fn check(password: &str) -> Result<(), String> {
    if password.is_empty() {
        return Err("the password is empty; pass it on standard input, or type one".to_owned());
    }
    if password.chars().count() > PASSWORD_MAX {
        return Err(format!("a password has at most {PASSWORD_MAX} characters"));
    }
    if password.chars().any(char::is_control) {
        return Err("a password holds no control characters".to_owned());
    }
    Ok(())
}
