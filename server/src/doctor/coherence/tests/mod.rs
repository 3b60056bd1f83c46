//! Storage that is coherent passes; storage that lies, in each way of which a check is to know, is
//! found out by that check.

mod lying;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use holdfast_proto::pb::doctor::step::Action;
use holdfast_proto::types::{FileAttributes, Incarnation, NodeId, VolumeId};

use super::bench::{Bench, folder_of};
use super::*;
use crate::doctor::finding::{Level, verdict};
use crate::testing;
use crate::vfs::memory::MemoryVolume;
use crate::vfs::{FileKind, Issuer, NewNode, OpenAccess, Vfs};
use lying::{Lie, LyingVolume};

const BY: Issuer = Issuer::node(NodeId(1), Incarnation(1));
const VOLUME: VolumeId = VolumeId(1);
const RUN: u64 = 77;

struct BenchHand(Bench);

#[async_trait]
impl Hand for BenchHand {
    async fn take(&self, action: Action) -> Result<Kind, Trouble> {
        let seen =
            self.0.act(&action).await.map_err(|error| Trouble::Storage(error.to_string()))?;
        Ok(seen.kind.expect("every step shows something"))
    }
}

/// Node 1 sees the volume as it is, node 2 through a lie.
async fn examined_with(lie: Lie) -> Examination {
    let honest: Arc<dyn Vfs> = Arc::new(MemoryVolume::new(VOLUME));
    let lying: Arc<dyn Vfs> = Arc::new(LyingVolume::new(Arc::clone(&honest), lie));
    let trials = honest.trial_folder(BY).await.unwrap();
    let folder = NewNode::new(FileKind::Directory, FileAttributes::NONE);
    honest.create_exclusive(BY, &trials, &folder_of(RUN), &folder).await.unwrap();
    let one = BenchHand(Bench::find(honest, BY, RUN).await.unwrap().unwrap());
    let other = BenchHand(Bench::find(lying, BY, RUN).await.unwrap().unwrap());
    Examination {
        volume: VOLUME,
        node: NodeId(1),
        trees: vec![(NodeId(2), Ok(true))],
        examined: both_ways(&one, &other, (NodeId(1), NodeId(2)), RUN).await,
        complete: true,
        left: None,
    }
}

/// The names of the checks that are not as they should be.
fn found(examination: &Examination) -> BTreeSet<String> {
    let bad = judge(examination).into_iter().filter(|finding| finding.level != Level::Ok);
    bad.map(|finding| finding.check.replace("volume 1: ", "")).collect()
}

#[track_caller]
fn is_unfit(examination: &Examination, checks: &[&str]) {
    let expected: BTreeSet<String> = checks.iter().map(|check| (*check).to_owned()).collect();
    assert_eq!(found(examination), expected, "{:#?}", judge(examination));
    assert!(matches!(fitness(examination), Fitness::Unfit(_)));
}

#[tokio::test]
async fn coherent_storage_passes() {
    let examination = examined_with(Lie::None).await;
    assert_eq!(found(&examination), BTreeSet::new(), "{:#?}", judge(&examination));
    assert_eq!(fitness(&examination), Fitness::Fit);
    assert_eq!(judge(&examination).len(), 1 + Property::ALL.len());
}

#[tokio::test]
async fn names_that_are_cached_are_found() {
    let names = found(&examined_with(Lie::CachesNames).await);
    for check in ["new names", "renames", "replacing", "removal"] {
        assert!(names.contains(check), "{check} is not in {names:?}");
    }
}

#[tokio::test]
async fn listings_that_are_cached_are_found() {
    is_unfit(&examined_with(Lie::CachesListings).await, &["new names"]);
}

#[tokio::test]
async fn data_that_is_cached_is_found() {
    is_unfit(&examined_with(Lie::CachesData).await, &["data"]);
}

#[tokio::test]
async fn sizes_that_are_cached_are_found() {
    is_unfit(&examined_with(Lie::CachesSizes).await, &["size and times"]);
}

#[tokio::test]
async fn attributes_that_are_cached_are_found() {
    is_unfit(&examined_with(Lie::CachesAttributes).await, &["extended attributes"]);
}

#[tokio::test]
async fn marks_that_are_cached_are_found() {
    is_unfit(&examined_with(Lie::CachesMarks).await, &["marks of creates"]);
}

#[tokio::test]
async fn creates_that_are_not_exclusive_are_found() {
    is_unfit(&examined_with(Lie::SharesCreates).await, &["exclusive creates"]);
}

#[tokio::test]
async fn locks_that_do_not_hold_between_nodes_are_found() {
    is_unfit(&examined_with(Lie::IgnoresLocks).await, &["appends"]);
}

#[tokio::test]
async fn renames_that_replace_are_found() {
    is_unfit(&examined_with(Lie::AlwaysReplaces).await, &["renames"]);
}

#[tokio::test]
async fn replacing_that_leaves_a_gap_is_found() {
    is_unfit(&examined_with(Lie::ReplacesInTwoSteps).await, &["replacing"]);
}

#[tokio::test]
async fn folded_case_is_told_and_does_no_harm() {
    let examination = examined_with(Lie::FoldsCase).await;
    assert_eq!(found(&examination), BTreeSet::from(["case of names".to_owned()]));
    assert_eq!(verdict(&judge(&examination)), Level::Warn);
    assert_eq!(fitness(&examination), Fitness::Fit);
}

#[tokio::test]
async fn storage_that_refuses_fails_without_a_word_on_its_coherence() {
    let examination = examined_with(Lie::RefusesAttributes).await;
    assert_eq!(found(&examination), BTreeSet::from(["extended attributes".to_owned()]));
    assert_eq!(verdict(&judge(&examination)), Level::Fail);
    assert_eq!(fitness(&examination), Fitness::Unknown);
}

#[tokio::test]
async fn another_tree_is_not_taken_for_the_same() {
    let other: Arc<dyn Vfs> = Arc::new(MemoryVolume::new(VOLUME));
    assert!(Bench::find(other, BY, RUN).await.unwrap().is_none());
}

#[tokio::test]
async fn a_node_alone_examines_both_sides_and_leaves_nothing() {
    let volume: Arc<dyn Vfs> = Arc::new(MemoryVolume::new(VOLUME));
    let (node, _cluster) = testing::node(BTreeMap::from([(VOLUME, Arc::clone(&volume))]));
    let examination = examine(&node, VOLUME).await.unwrap();
    assert_eq!(found(&examination), BTreeSet::new(), "{:#?}", judge(&examination));
    assert_eq!(fitness(&examination), Fitness::Fit);
    let trials = volume.trial_folder(BY).await.unwrap();
    let dir = volume.open(BY, &trials.place(), OpenAccess::METADATA).await.unwrap();
    assert_eq!(dir.list(None, 10).await.unwrap().entries, []);
    assert!(examine(&node, VolumeId(9)).await.is_err());
}

#[tokio::test]
async fn a_node_that_does_not_answer_leaves_it_open() {
    let volume: Arc<dyn Vfs> = Arc::new(MemoryVolume::new(VOLUME));
    let (node, cluster) = testing::node(BTreeMap::from([(VOLUME, volume)]));
    cluster.join(NodeId(2));
    let examination = examine(&node, VOLUME).await.unwrap();
    assert_eq!(found(&examination), BTreeSet::from(["one tree".to_owned()]));
    assert_eq!(verdict(&judge(&examination)), Level::Warn);
    assert_eq!(fitness(&examination), Fitness::Unknown);
}
