//! Whether shares on a volume are continuously available, as the cluster has noted it.

use super::finding::Finding;

/// Judges it. `unfit`: what the log holds against the volume. `shares`: those that ask for it.
pub fn judge(volume: u64, unfit: Option<&str>, shares: &[&str]) -> Finding {
    let shown = match shares {
        [] => "no share asks for it".to_owned(),
        shares => format!("asked for by {}", shares.join(", ")),
    };
    let finding = Finding::ok(format!("volume {volume}: availability"), shown);
    match unfit {
        None => finding,
        Some(why) => finding.fail(
            format!(
                "refused since the volume failed an examination ({why}): no new open is persistent, \
                 and no share can be added that is to be continuously available"
            ),
            "put right what failed and run this again: it is allowed once every node of the \
             cluster has passed",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn what_the_log_holds_is_told() {
        let good = judge(1, None, &["demo"]);
        assert_eq!((good.level, good.figure.as_str()), (Level::Ok, "asked for by demo"));
        let bad = judge(1, Some("data: stale"), &[]);
        assert_eq!(bad.level, Level::Fail);
        assert!(bad.reason.contains("data: stale"), "{bad:?}");
    }
}
