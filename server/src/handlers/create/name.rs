//! The name of a CREATE ([MS-SMB2] 2.2.13, [MS-FSCC] 2.1.5).

use holdfast_proto::NtStatus;

use crate::status;
use crate::vfs::{MAX_DEPTH, check_name};

/// The components of a path below a share. None for the share's root.
pub fn components(name: &str) -> Result<Vec<String>, NtStatus> {
    if name.is_empty() {
        return Ok(Vec::new());
    }
    if name.starts_with('\\') {
        // 3.3.5.9: a name must not begin with a separator.
        return Err(NtStatus::INVALID_PARAMETER);
    }
    // One separator at the end means the same directory.
    let name = name.strip_suffix('\\').unwrap_or(name);
    let name = without_default_stream(name)?;
    let components: Vec<String> = name.split('\\').map(str::to_owned).collect();
    if components.len() > MAX_DEPTH {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    for component in &components {
        check_name(component).map_err(status::of_name_refusal)?;
    }
    Ok(components)
}

/// `file::$DATA` is the file itself. Other streams do not exist here.
fn without_default_stream(name: &str) -> Result<&str, NtStatus> {
    let Some((file, stream)) = name.split_once(':') else { return Ok(name) };
    if stream.eq_ignore_ascii_case(":$DATA") {
        return Ok(file);
    }
    Err(NtStatus::OBJECT_NAME_INVALID)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split() {
        assert_eq!(components("").unwrap(), Vec::<String>::new());
        assert_eq!(components("a\\B c").unwrap(), ["a", "B c"]);
        assert_eq!(components("a\\").unwrap(), ["a"]);
        assert_eq!(components("a::$data").unwrap(), ["a"]);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        assert_eq!(components("\\a"), Err(NtStatus::INVALID_PARAMETER));
        for bad in ["a\\\\b", "a\\..\\b", "..", "a/b", "a\0b", "a:stream", "a*"] {
            assert_eq!(components(bad), Err(NtStatus::OBJECT_NAME_INVALID), "{bad:?}");
        }
    }
}
