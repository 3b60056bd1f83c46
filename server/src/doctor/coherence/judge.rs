//! What follows from what was seen.

use std::collections::BTreeSet;

use holdfast_proto::types::NodeId;

use super::hand::{Lag, Trouble};
use super::properties::{Came, Observation, Property};
use super::{Examination, Examined};
use crate::doctor::finding::{Finding, millis};

const INCOHERENT: &str = "mount it so that every node sees at once what the others do: a cluster \
    file system, or no caches of names and attributes (NFS: noac,lookupcache=none). Until it \
    passes, its shares are not continuously available";

/// Whether a volume may hold shares that are continuously available.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fitness {
    /// Every node took part and saw what it should.
    Fit,
    /// Something was seen otherwise; for people.
    Unfit(String),
    /// Not all was examined, or the storage was in trouble of another kind: nothing follows.
    Unknown,
}

/// A finding for each property, and what else was noticed.
pub fn judge(examination: &Examination) -> Vec<Finding> {
    let what = format!("volume {}", examination.volume.0);
    let mut findings = vec![judge_trees(&what, examination)];
    for property in Property::ALL {
        let of: Vec<&Examined> =
            examination.examined.iter().filter(|one| one.property == property).collect();
        if !of.is_empty() {
            findings.push(judge_property(&what, property, &of));
        }
    }
    if let Some(why) = &examination.left {
        let finding = Finding::ok(format!("{what}: clean-up"), "not complete");
        findings.push(finding.warn(why.clone(), "the next examination removes it after a while"));
    }
    findings
}

/// Whether the volume is fit.
pub fn fitness(examination: &Examination) -> Fitness {
    let blind = examination.trees.iter().find(|(_, sees)| *sees == Ok(false));
    if let Some((node, _)) = blind {
        return Fitness::Unfit(elsewhere(*node));
    }
    let wrong = examination.examined.iter().find_map(|one| Some((one, wrong(one).pop()?)));
    if let Some((one, why)) = wrong {
        return Fitness::Unfit(format!("{}: {why}", one.property.name()));
    }
    let troubled = examination.examined.iter().any(|one| one.result.is_err());
    if troubled || !examination.complete { Fitness::Unknown } else { Fitness::Fit }
}

fn elsewhere(node: NodeId) -> String {
    format!("node {} does not see what other nodes put there: its path leads elsewhere", node.0)
}

fn judge_trees(what: &str, examination: &Examination) -> Finding {
    let check = format!("{what}: one tree");
    let seeing: Vec<u64> = examination
        .trees
        .iter()
        .filter(|(_, sees)| *sees == Ok(true))
        .map(|(node, _)| node.0)
        .collect();
    let shown = match seeing.is_empty() {
        true if examination.trees.is_empty() => {
            format!("node {} is alone; both sides tried there", examination.node.0)
        }
        true => format!("no node sees what node {} puts there", examination.node.0),
        false => format!("nodes {} and {} see the same", examination.node.0, list(&seeing)),
    };
    let finding = Finding::ok(check, shown);
    let blind = examination.trees.iter().find(|(_, sees)| *sees == Ok(false));
    if let Some((node, _)) = blind {
        return finding.fail(
            elsewhere(*node),
            format!(
                "have [[volume]] path in the settings of node {} lead to the same storage, and see \
                 whether it is mounted",
                node.0
            ),
        );
    }
    let troubles = examination.trees.iter().filter_map(|(_, sees)| sees.as_ref().err());
    match troubles.max_by_key(|trouble| matches!(trouble, Trouble::Storage(_))) {
        Some(trouble) => troubled(finding, trouble),
        None if !examination.complete => finding.warn(
            "not every node of the cluster took part",
            "run this again when all nodes are live («holdfast status»)",
        ),
        None => finding,
    }
}

fn troubled(finding: Finding, trouble: &Trouble) -> Finding {
    match trouble {
        Trouble::Storage(why) => finding.fail(
            format!("the storage refuses a step: {why}"),
            "see to the storage on that node, then run this again",
        ),
        Trouble::Silent(why) => finding.warn(
            format!("not examined: {why}"),
            "run this again when all nodes are live («holdfast status»)",
        ),
    }
}

fn judge_property(what: &str, property: Property, of: &[&Examined]) -> Finding {
    let results = of.iter().filter_map(|one| one.result.as_ref().ok());
    let looks: usize = results.map(Vec::len).sum();
    let wrongs: BTreeSet<String> = of.iter().flat_map(|one| wrong(one)).collect();
    let nodes: BTreeSet<u64> = of.iter().flat_map(|one| [one.first.0, one.second.0]).collect();
    let nodes: Vec<u64> = nodes.into_iter().collect();
    let who = if nodes.len() == 1 { "node" } else { "nodes" };
    let check = format!("{what}: {}", property.name());
    let right = looks - of.iter().map(|one| wrong(one).len()).sum::<usize>();
    let finding =
        Finding::ok(check, format!("{right} of {looks} as it should be, {who} {}", list(&nodes)));
    if !wrongs.is_empty() {
        let wrongs: Vec<String> = wrongs.into_iter().collect();
        return finding.fail(wrongs.join("; "), INCOHERENT);
    }
    let troubles = of.iter().filter_map(|one| one.result.as_ref().err());
    if let Some(trouble) = troubles.max_by_key(|trouble| matches!(trouble, Trouble::Storage(_))) {
        return troubled(finding, trouble);
    }
    let mut observations = of.iter().flat_map(|one| one.result.iter().flatten());
    if observations.any(|seen| seen.came == Came::CaseFolded(true)) {
        return finding.warn(
            "the storage takes names that differ by case for one, by a table of its own: clients \
             may be shown names as somebody asked for them, and not as they were given",
            "switch that off (ext4, f2fs: no casefold on the folder; ZFS: casesensitivity=sensitive)",
        );
    }
    finding
}

/// What of one property was not as it should be, in words.
fn wrong(one: &Examined) -> Vec<String> {
    let observations = one.result.iter().flatten();
    observations.filter_map(|observation| told(one, observation)).collect()
}

fn told(one: &Examined, observation: &Observation) -> Option<String> {
    let (what, by) = (observation.what, one.second.0);
    match observation.came {
        Came::Seen(Lag::None) | Came::Times { wrong: 0, .. } | Came::CaseFolded(_) => None,
        Came::Seen(Lag::After(late)) => {
            Some(format!("«{what}»: on node {by} only after {}", millis(late)))
        }
        Came::Seen(Lag::Longer(waited)) => {
            Some(format!("«{what}»: not on node {by} within {}", millis(waited)))
        }
        Came::Times { of: 1, .. } => {
            Some(format!("«{what}»: not so between nodes {} and {by}", one.first.0))
        }
        Came::Times { wrong, of } => Some(format!(
            "«{what}»: wrong {wrong} of {of} times between nodes {} and {by}",
            one.first.0
        )),
    }
}

fn list(nodes: &[u64]) -> String {
    nodes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_proto::types::VolumeId;

    use super::*;
    use crate::doctor::finding::Level;

    fn one(property: Property, came: Came) -> Examined {
        let seen = Observation { what: "it is so", came };
        Examined { property, first: NodeId(1), second: NodeId(2), result: Ok(vec![seen]) }
    }

    fn examination(examined: Vec<Examined>) -> Examination {
        Examination {
            volume: VolumeId(1),
            node: NodeId(1),
            trees: vec![(NodeId(2), Ok(true))],
            examined,
            complete: true,
            left: None,
        }
    }

    #[track_caller]
    fn level_of(examined: Examined) -> Level {
        let findings = judge(&examination(vec![examined]));
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert_eq!(findings[0].level, Level::Ok);
        findings[1].level
    }

    #[test]
    fn what_was_seen_is_judged() {
        let late = Lag::After(Duration::from_millis(40));
        let never = Lag::Longer(Duration::from_secs(1));
        for (came, level) in [
            (Came::Seen(Lag::None), Level::Ok),
            (Came::Seen(late), Level::Fail),
            (Came::Seen(never), Level::Fail),
            (Came::Times { wrong: 0, of: 16 }, Level::Ok),
            (Came::Times { wrong: 1, of: 16 }, Level::Fail),
            (Came::CaseFolded(false), Level::Ok),
            (Came::CaseFolded(true), Level::Warn),
        ] {
            assert_eq!(level_of(one(Property::Data, came)), level, "{came:?}");
        }
        let trouble = |trouble| Examined {
            result: Err(trouble),
            ..one(Property::Data, Came::Seen(Lag::None))
        };
        assert_eq!(level_of(trouble(Trouble::Silent("it".to_owned()))), Level::Warn);
        assert_eq!(level_of(trouble(Trouble::Storage("it".to_owned()))), Level::Fail);
    }

    #[test]
    fn only_what_was_seen_makes_a_volume_unfit() {
        let good = one(Property::Data, Came::Seen(Lag::None));
        let bad = one(Property::Size, Came::Times { wrong: 3, of: 16 });
        let troubled =
            Examined { result: Err(Trouble::Storage("no room".to_owned())), ..good.clone() };
        assert_eq!(fitness(&examination(vec![good.clone()])), Fitness::Fit);
        let Fitness::Unfit(why) = fitness(&examination(vec![troubled.clone(), bad])) else {
            panic!("fit");
        };
        assert!(why.contains("size and times") && why.contains("3 of 16 times"), "{why}");
        assert_eq!(fitness(&examination(vec![good.clone(), troubled])), Fitness::Unknown);
        let partial = Examination { complete: false, ..examination(vec![good.clone()]) };
        assert_eq!(fitness(&partial), Fitness::Unknown);
        assert_eq!(judge(&partial)[0].level, Level::Warn);
        let elsewhere =
            Examination { trees: vec![(NodeId(3), Ok(false))], ..examination(vec![good]) };
        assert!(matches!(fitness(&elsewhere), Fitness::Unfit(_)));
        assert_eq!(judge(&elsewhere)[0].level, Level::Fail);
    }
}
