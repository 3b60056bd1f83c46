//! What a check came to: a line for an operator.

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// What clients were promised cannot be kept.
    Fail,
}

/// One check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What was looked at: «log: sync», «volume 1: size».
    pub check: String,
    pub level: Level,
    /// What was measured.
    pub figure: String,
    /// Why it is not [`Level::Ok`]; empty if it is.
    pub reason: String,
    /// What to do about it; empty if there is nothing to do.
    pub remedy: String,
}

impl Finding {
    /// A check that found what it should.
    pub fn ok(check: impl Into<String>, figure: impl Into<String>) -> Finding {
        Finding {
            check: check.into(),
            level: Level::Ok,
            figure: figure.into(),
            reason: String::new(),
            remedy: String::new(),
        }
    }

    /// The same check with something that somebody should look at.
    #[must_use]
    pub fn warn(self, reason: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { level: Level::Warn, reason: reason.into(), remedy: remedy.into(), ..self }
    }

    /// The same check, failed.
    #[must_use]
    pub fn fail(self, reason: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { level: Level::Fail, reason: reason.into(), remedy: remedy.into(), ..self }
    }
}

/// The worst of all.
pub fn verdict(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
}

/// A duration as operators read it: «3.9 ms».
pub fn millis(time: std::time::Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    match millis {
        short if short < 0.1 => format!("{short:.3} ms"),
        short if short < 10.0 => format!("{short:.1} ms"),
        long => format!("{long:.0} ms"),
    }
}

/// A size as operators read it: «1.5 GiB».
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = size as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value < 10.0 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_worst_counts() {
        let good = Finding::ok("a", "1");
        assert_eq!(verdict(&[]), Level::Ok);
        assert_eq!(verdict(&[good.clone(), good.clone().warn("b", "c")]), Level::Warn);
        assert_eq!(verdict(&[good.clone().fail("b", "c"), good.warn("b", "c")]), Level::Fail);
    }

    #[test]
    fn figures_are_short() {
        assert_eq!(millis(Duration::from_micros(12)), "0.012 ms");
        assert_eq!(millis(Duration::from_micros(3_940)), "3.9 ms");
        assert_eq!(millis(Duration::from_millis(1_500)), "1500 ms");
        assert_eq!(bytes(64 << 20), "64 MiB");
        assert_eq!(bytes(3 << 29), "1.5 GiB");
        assert_eq!(bytes(512), "0.5 KiB");
    }
}
