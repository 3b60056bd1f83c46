//! The table at the end: one line for each fault, and the verdict.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::checkers::Kind;
use super::faults::Fault;
use super::measure::percentile;
use super::results::{Counts, RoundResult};

/// What is lost or broken, by the column that counts it.
const COLUMNS: [(&str, &[Kind]); 5] = [
    ("handles", &[Kind::LostHandle]),
    ("writes", &[Kind::LostWrite]),
    ("torn", &[Kind::TornWrite]),
    ("doubled", &[Kind::DoubledCreate]),
    ("other", &[Kind::BrokenLock, Kind::StaleCache, Kind::BadAnswer, Kind::Stuck]),
];

/// How long others' operations may take where they are compared with those before the fault.
const OTHERS_FREE: Duration = Duration::from_millis(20);

/// All rounds of a fault together.
#[derive(Default)]
struct Sum {
    rounds: u64,
    affected: Vec<Duration>,
    others: Vec<Duration>,
    baseline: Vec<Duration>,
    broken: BTreeMap<Kind, u64>,
    counts: Counts,
}

impl Sum {
    fn of(rounds: &[RoundResult], fault: Fault) -> Sum {
        let mut sum = Sum::default();
        for round in rounds.iter().filter(|round| round.fault == fault) {
            sum.rounds += 1;
            sum.affected.extend(&round.affected);
            sum.others.extend(&round.others);
            sum.baseline.extend(&round.baseline);
            sum.counts.add(round.counts);
            for (kind, count) in &round.broken {
                *sum.broken.entry(*kind).or_default() += count;
            }
        }
        sum
    }

    fn verdict(&self, fault: Fault, loaded: bool) -> Verdict {
        let slow = percentile(&self.affected, 99).is_some_and(|p99| p99 > fault.limit());
        // Others may wait twice as long as before, or for what nobody notices.
        let slow = slow
            || percentile(&self.baseline, 99).is_some_and(|before| {
                percentile(&self.others, 99).is_some_and(|p99| p99 > OTHERS_FREE.max(before * 2))
            });
        match (self.broken.is_empty(), slow) {
            (false, _) => Verdict::Broken,
            _ if self.counts.cuts > 0 && self.counts.refused == 0 => Verdict::NothingRefused,
            (true, true) if loaded => Verdict::SlowUnderLoad,
            (true, true) => Verdict::Slow,
            (true, false) => Verdict::Good,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Good,
    Slow,
    /// Slower than the limit, which is not judged now.
    SlowUnderLoad,
    Broken,
    /// Nodes were cut off, and nothing of theirs came to the storage later: nothing is shown.
    NothingRefused,
}

impl Verdict {
    fn text(self) -> &'static str {
        match self {
            Verdict::Good => "ok",
            Verdict::Slow => "TOO SLOW",
            Verdict::SlowUnderLoad => "ok (slow)",
            Verdict::Broken => "BROKEN",
            Verdict::NothingRefused => "NOT SHOWN",
        }
    }
}

/// The table.
pub fn table(rounds: &[RoundResult], faults: &[Fault], loaded: bool) -> String {
    let mut lines = vec![headings()];
    let mut done = Counts::default();
    for fault in faults {
        let sum = Sum::of(rounds, *fault);
        if sum.rounds == 0 {
            continue;
        }
        done.add(sum.counts);
        let lost = COLUMNS.iter().map(|(_, kinds)| {
            kinds.iter().filter_map(|kind| sum.broken.get(kind)).sum::<u64>().to_string()
        });
        let mut line = vec![fault.name().to_owned(), sum.rounds.to_string()];
        line.extend(lost);
        line.extend([50, 99, 100].map(|percent| seconds(percentile(&sum.affected, percent))));
        line.push(seconds(Some(fault.limit())));
        line.extend([99, 100].map(|percent| seconds(percentile(&sum.others, percent))));
        line.push(sum.verdict(*fault, loaded).text().to_owned());
        lines.push(line);
    }
    let mut text = String::new();
    for line in &lines {
        for (column, cell) in line.iter().enumerate() {
            let widest = lines.iter().filter_map(|line| line.get(column)).map(String::len).max();
            let width = widest.unwrap_or(0);
            // Writing to a string cannot fail.
            let _ = match column {
                0 => write!(text, "{cell:width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    let Counts { reclaimed, writes, creates, replays, locks, breaks, cached, cuts, refused } = done;
    let _ = writeln!(
        text,
        "done: {reclaimed} handles reclaimed, {writes} writes acknowledged, {creates} creates \
         ({replays} replayed), {locks} locks, {breaks} lease breaks, {cached} cached reads"
    );
    if cuts > 0 {
        let _ = writeln!(
            text,
            "cut off at the storage: {cuts} frozen nodes, whose operations that came later were all \
             refused: {refused}"
        );
    }
    text
}

fn headings() -> Vec<String> {
    let lost = COLUMNS.iter().map(|(name, _)| *name);
    ["fault", "rounds"]
        .into_iter()
        .chain(lost)
        .chain(["p50", "p99", "worst", "limit", "others p99", "worst", "verdict"])
        .map(str::to_owned)
        .collect()
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| format!("{:.3}", time.as_secs_f64()))
}

/// True if everything that was to be judged is good.
pub fn is_good(rounds: &[RoundResult], faults: &[Fault], loaded: bool) -> bool {
    faults.iter().all(|fault| {
        let verdict = Sum::of(rounds, *fault).verdict(*fault, loaded);
        matches!(verdict, Verdict::Good | Verdict::SlowUnderLoad)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(fault: Fault, millis: u64, broken: &[(Kind, u64)]) -> RoundResult {
        RoundResult {
            fault,
            number: 1,
            seed: 1,
            affected: vec![Duration::from_millis(millis)],
            others: Vec::new(),
            baseline: Vec::new(),
            broken: broken.iter().copied().collect(),
            counts: Counts::default(),
        }
    }

    #[test]
    fn load_excuses_time_but_not_loss() {
        let fault = Fault::KillLeader;
        let slow = [round(fault, 9_000, &[])];
        assert!(!is_good(&slow, &[fault], false));
        assert!(is_good(&slow, &[fault], true));
        let lost = [round(fault, 10, &[(Kind::LostWrite, 1)])];
        assert!(!is_good(&lost, &[fault], true));
        assert!(table(&lost, &[fault], true).contains("BROKEN"));
        assert!(is_good(&[round(fault, 1_500, &[])], &[fault], false));
    }

    #[test]
    fn a_cut_that_nothing_ran_into_shows_nothing() {
        let fault = Fault::StopCut;
        let mut cut = round(fault, 10, &[]);
        cut.counts = Counts { cuts: 1, ..Counts::default() };
        assert!(!is_good(&[cut.clone()], &[fault], true));
        let refusing = Counts { cuts: 1, refused: 7, ..Counts::default() };
        let other = RoundResult { counts: refusing, ..cut.clone() };
        assert!(is_good(&[cut, other.clone()], &[fault], false));
        assert!(table(&[other], &[fault], false).contains("1 frozen nodes"));
    }

    #[test]
    fn others_are_compared_with_themselves() {
        let fault = Fault::ManyOpens;
        let mut round = round(fault, 1_000, &[]);
        round.baseline = vec![Duration::from_millis(15)];
        round.others = vec![Duration::from_millis(30)];
        assert!(is_good(&[round.clone()], &[fault], false));
        round.others = vec![Duration::from_millis(31)];
        assert!(!is_good(&[round], &[fault], false));
    }

    #[test]
    fn columns_stand_beneath_each_other() {
        let rounds = [round(Fault::KillAll, 10, &[]), round(Fault::Stop, 12_345, &[])];
        let text = table(&rounds, &Fault::ALL, false);
        let table: Vec<&str> = text.lines().take(3).collect();
        assert!(table.iter().all(|line| line.len() == table[0].len()), "{text}");
    }
}
