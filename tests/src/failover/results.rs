//! What a round came to, and the file that keeps it: a line for each finished round, flushed as
//! soon as the round is over, so that an interrupted run continues where it was.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use super::checkers::Kind;
use super::faults::Fault;

/// How much was done, so that "nothing was lost" says something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Handles that were given back.
    pub reclaimed: u64,
    /// Writes that were acknowledged.
    pub writes: u64,
    /// CREATEs that were carried out.
    pub creates: u64,
    /// Those of them whose answer was lost at first.
    pub replays: u64,
    pub locks: u64,
    /// Lease breaks that clients were sent.
    pub breaks: u64,
    /// Reads that were served from what a lease allowed to keep.
    pub cached: u64,
    /// Lives of nodes that were cut off from the storage.
    pub cuts: u64,
    /// Storage operations of theirs that were refused.
    pub refused: u64,
}

impl Counts {
    const NAMES: [&'static str; 9] = [
        "reclaimed",
        "writes",
        "creates",
        "replays",
        "locks",
        "breaks",
        "cached",
        "cuts",
        "refused",
    ];

    fn values(&mut self) -> [&mut u64; 9] {
        [
            &mut self.reclaimed,
            &mut self.writes,
            &mut self.creates,
            &mut self.replays,
            &mut self.locks,
            &mut self.breaks,
            &mut self.cached,
            &mut self.cuts,
            &mut self.refused,
        ]
    }

    pub fn add(&mut self, mut other: Counts) {
        for (sum, more) in self.values().into_iter().zip(other.values()) {
            *sum += *more;
        }
    }
}

/// A finished round.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoundResult {
    pub fault: Fault,
    /// Counted from 1.
    pub number: u64,
    /// Of the whole run; with fault and number it gives every choice of the round.
    pub seed: u64,
    pub affected: Vec<Duration>,
    pub others: Vec<Duration>,
    /// The same before the fault, where it is compared.
    pub baseline: Vec<Duration>,
    pub broken: BTreeMap<Kind, u64>,
    pub counts: Counts,
}

impl Display for RoundResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RoundResult { fault, number, seed, affected, others, baseline, broken, mut counts } =
            self.clone();
        write!(f, "fault={} round={number} seed={seed}", fault.name())?;
        write!(f, " affected_us={} others_us={}", micros(&affected), micros(&others))?;
        write!(f, " baseline_us={}", micros(&baseline))?;
        for (name, value) in Counts::NAMES.into_iter().zip(counts.values()) {
            write!(f, " {name}={value}")?;
        }
        let broken = broken.iter().map(|(kind, count)| format!("{}:{count}", kind.name()));
        write!(f, " broken={}", broken.collect::<Vec<_>>().join(","))
    }
}

fn micros(times: &[Duration]) -> String {
    let mut text = String::new();
    for (index, time) in times.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{}", time.as_micros());
    }
    text
}

impl RoundResult {
    /// Reads a line as it was written; none if it is cut off or something else.
    pub fn read(line: &str) -> Option<RoundResult> {
        let fields: BTreeMap<&str, &str> =
            line.split_whitespace().map(|field| field.split_once('=')).collect::<Option<_>>()?;
        let number = |name: &str| fields.get(name)?.parse::<u64>().ok();
        let items = |name: &str| Some(fields.get(name)?.split(',').filter(|item| !item.is_empty()));
        let times = |name: &str| -> Option<Vec<Duration>> {
            items(name)?.map(|item| item.parse().ok().map(Duration::from_micros)).collect()
        };
        let mut counts = Counts::default();
        for (name, value) in Counts::NAMES.into_iter().zip(counts.values()) {
            // What earlier versions did not count was none.
            *value = if fields.contains_key(name) { number(name)? } else { 0 };
        }
        let broken = items("broken")?.map(|item| {
            let (kind, count) = item.split_once(':')?;
            Some((Kind::from_name(kind)?, count.parse().ok()?))
        });
        Some(RoundResult {
            fault: Fault::from_name(fields.get("fault")?)?,
            number: number("round")?,
            seed: number("seed")?,
            affected: times("affected_us")?,
            others: times("others_us")?,
            baseline: times("baseline_us")?,
            broken: broken.collect::<Option<_>>()?,
            counts,
        })
    }

    /// True if nothing promised was broken.
    pub fn is_whole(&self) -> bool {
        self.broken.is_empty()
    }
}

/// The results so far, and where the next ones go.
pub struct Results {
    pub rounds: Vec<RoundResult>,
    file: Option<File>,
}

impl Results {
    /// Without a file: nothing is kept.
    pub fn open(path: Option<&Path>) -> Result<Results, String> {
        let Some(path) = path else { return Ok(Results { rounds: Vec::new(), file: None }) };
        let at = |error: io::Error| format!("{}: {error}", path.display());
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(at)?,
        };
        // A line that was cut off when the run was ended is no finished round.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut rounds = Vec::new();
        for (index, line) in text[..whole].lines().enumerate() {
            let round = RoundResult::read(line).ok_or_else(|| {
                format!("{}, line {}: not a result of this runner", path.display(), index + 1)
            })?;
            rounds.push(round);
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(at)?;
        file.set_len(whole as u64).map_err(at)?;
        Ok(Results { rounds, file: Some(file) })
    }

    /// The seed of the run that is continued.
    pub fn seed(&self) -> Option<u64> {
        self.rounds.first().map(|round| round.seed)
    }

    pub fn has(&self, fault: Fault, number: u64) -> bool {
        self.rounds.iter().any(|round| round.fault == fault && round.number == number)
    }

    /// Keeps a finished round.
    pub fn add(&mut self, round: RoundResult) -> Result<(), String> {
        if let Some(file) = &mut self.file {
            let written = writeln!(file, "{round}").and_then(|()| file.sync_data());
            written.map_err(|error| format!("the result cannot be kept: {error}"))?;
        }
        self.rounds.push(round);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(number: u64) -> RoundResult {
        RoundResult {
            fault: Fault::KillLeader,
            number,
            seed: 7,
            affected: vec![Duration::from_micros(812_345), Duration::from_micros(3)],
            others: Vec::new(),
            baseline: vec![Duration::from_micros(5)],
            broken: [(Kind::LostWrite, 2), (Kind::Stuck, 1)].into(),
            counts: Counts { reclaimed: 9, refused: 4, ..Counts::default() },
        }
    }

    #[test]
    fn a_line_says_everything() {
        let line = round(3).to_string();
        assert_eq!(RoundResult::read(&line), Some(round(3)));
        for end in 0..line.len() {
            let cut = RoundResult::read(&line[..end]);
            assert_ne!(cut, Some(round(3)), "cut off at {end}");
        }
        let older = line.replace(" cuts=0 refused=4", "");
        assert_eq!(RoundResult::read(&older).unwrap().counts.refused, 0);
    }

    #[test]
    fn a_run_goes_on_where_it_was_cut_off() {
        let path = std::env::temp_dir().join(format!("holdfast-results-{}", std::process::id()));
        fs::write(&path, format!("{}\nfault=kill-le", round(1))).unwrap();
        let mut results = Results::open(Some(&path)).unwrap();
        assert!(results.has(Fault::KillLeader, 1) && !results.has(Fault::KillLeader, 2));
        results.add(round(2)).unwrap();
        drop(results);
        let results = Results::open(Some(&path)).unwrap();
        assert_eq!(results.rounds, [round(1), round(2)]);
        assert_eq!(results.seed(), Some(7));
        fs::write(&path, "something else\n").unwrap();
        assert!(Results::open(Some(&path)).is_err());
        fs::remove_file(&path).unwrap();
    }
}
