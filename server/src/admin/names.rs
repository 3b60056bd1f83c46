//! What users and shares may be called.

/// The longest user name that every client takes.
const USER_NAME_MAX: usize = 64;
/// The longest share name ([MS-SRVS] 2.2.4.23 leaves it open; clients stop at 80).
const SHARE_NAME_MAX: usize = 80;
/// Names that mean something else to clients.
const RESERVED: [&str; 5] = ["IPC$", "ADMIN$", "PIPE", "MAILSLOT", "GLOBAL"];

/// Says what is wrong with a user's name.
pub fn check_user_name(name: &str) -> Result<(), String> {
    check("a user's name", name, USER_NAME_MAX, "\"/\\[]:;|=,+*?<>@")
}

/// Says what is wrong with a share's name.
pub fn check_share_name(name: &str) -> Result<(), String> {
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err(format!("«{name}» has a meaning of its own to clients; choose another name"));
    }
    check("a share's name", name, SHARE_NAME_MAX, "\"/\\[]:;|=,+*?<>")
}

fn check(what: &str, name: &str, longest: usize, forbidden: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("{what} cannot be empty"));
    }
    if name.chars().count() > longest {
        return Err(format!("{what} has at most {longest} characters"));
    }
    if name.trim() != name || name.ends_with('.') {
        return Err(format!("{what} neither begins nor ends with a space, nor ends with a dot"));
    }
    match name.chars().find(|c| c.is_control() || forbidden.contains(*c)) {
        Some(c) => Err(format!("{what} cannot hold {c:?}; these are not allowed: {forbidden}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_clients_cannot_say_are_refused() {
        for good in ["demo", "Jörg", "a b", "backup$"] {
            assert_eq!(check_share_name(good), Ok(()), "{good}");
        }
        for wrong in ["", "ipc$", "a/b", "a\\b", " a", "a.", "a\nb", &"x".repeat(81)] {
            assert!(check_share_name(wrong).is_err(), "{wrong}");
        }
        assert_eq!(check_user_name("jane.doe"), Ok(()));
        assert!(check_user_name("jane@doe").is_err());
    }
}
