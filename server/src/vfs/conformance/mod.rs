//! One suite for every back end: what the port promises, whatever keeps the files.
//!
//! A back end's tests name it once with [`conformance_suite!`]; each case becomes a test of its
//! own and gets an empty volume.

pub(super) mod data;
pub(super) mod differential;
pub(super) mod listing;
pub(super) mod metadata;
pub(super) mod names;
pub(super) mod resolving;
pub(super) mod staging;

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileKey, Incarnation, NodeId};

use super::{
    DirRef, FileKind, Issuer, Named, NewNode, OpenAccess, Place, Vfs, VfsFile, VolumePath,
};

/// Names every case once. `$volume` gives an empty volume and what must be kept alive with it.
macro_rules! conformance_suite {
    ($volume:expr) => {
        $crate::vfs::conformance::conformance_suite! { $volume,
            resolving: exact_and_folded missing_parts_on_the_way refused_names hidden_staging
                trials_have_a_hidden_folder
                ancestors_reach_the_root_of_the_volume paths_have_a_depth
                a_moved_directory_is_not_taken_for_another;
            names: exclusive_creation rename_within_and_between rename_is_idempotent
                rename_replaces_only_what_was_meant rename_changes_case_alone
                directories_do_not_move_into_themselves remove_is_idempotent_and_checks_the_key
                a_full_directory_stays reopening_finds_the_same_file_or_none;
            staging: a_staged_file_is_put_in_place_once directories_are_staged_too
                marks_tell_who_made_a_file marks_are_cleared_once leftovers_are_found_and_discarded
                a_staged_file_is_complete;
            data: reads_and_writes appends holes_read_as_zeros sizes allocation refused_offsets
                overwriting a_removed_file_lives_until_it_is_closed
                a_descriptor_for_reading_does_not_write directories_hold_no_data;
            metadata: attributes_and_times extended_attributes security_descriptors statistics;
            listing: stable_order_and_batches resuming_by_name changes_while_listing
                restarting_looks_anew;
        }
    };
    ($volume:expr, $($topic:ident: $($case:ident)*;)*) => {
        $(mod $topic {
            #[allow(unused_imports)]
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                let (volume, _kept) = $volume;
                $crate::vfs::conformance::$topic::$case(volume).await;
            })*
        })*
    };
}
pub(super) use conformance_suite;

/// The issuer of the suite's operations.
pub(super) const BY: Issuer = Issuer::node(NodeId(1), Incarnation(1));

/// A volume under test with its root at hand.
pub(super) struct Bench {
    pub(super) vfs: Arc<dyn Vfs>,
    pub(super) root: DirRef,
}

impl Bench {
    pub(super) async fn new(vfs: Arc<dyn Vfs>) -> Bench {
        let root = vfs.root(BY, &VolumePath::root()).await.unwrap();
        Bench { vfs, root }
    }

    /// Makes a file that holds `data`.
    pub(super) async fn file(&self, dir: &DirRef, name: &str, data: &str) -> FileKey {
        let new = NewNode::new(FileKind::File, FileAttributes::ARCHIVE);
        let key = self.vfs.create_exclusive(BY, dir, name, &new).await.unwrap();
        let file = self.open(&dir.child(name, key)).await;
        file.write_at(0, Bytes::copy_from_slice(data.as_bytes()), false).await.unwrap();
        key
    }

    /// Makes a directory.
    pub(super) async fn dir(&self, dir: &DirRef, name: &str) -> DirRef {
        let new = NewNode::new(FileKind::Directory, FileAttributes::NONE);
        let key = self.vfs.create_exclusive(BY, dir, name, &new).await.unwrap();
        dir.child_dir(name, key)
    }

    /// Opens a file for reading and writing.
    pub(super) async fn open(&self, place: &Place) -> Arc<dyn VfsFile> {
        self.vfs.open(BY, place, OpenAccess::READ_WRITE).await.unwrap()
    }

    /// Opens a directory.
    pub(super) async fn open_dir(&self, dir: &DirRef) -> Arc<dyn VfsFile> {
        self.vfs.open(BY, &dir.place(), OpenAccess::METADATA).await.unwrap()
    }

    /// The key of what a name denotes.
    pub(super) async fn key(&self, dir: &DirRef, name: &str) -> Option<FileKey> {
        let entry = self.vfs.lookup(BY, dir, name).await.unwrap();
        entry.map(|entry| entry.stat.key)
    }

    /// All that a file holds.
    pub(super) async fn content(&self, place: &Place) -> String {
        let data = self.open(place).await.read_at(0, 1 << 16).await.unwrap();
        String::from_utf8(data.to_vec()).unwrap()
    }

    /// The names in a directory.
    pub(super) async fn names(&self, dir: &DirRef) -> Vec<String> {
        let listing = self.open_dir(dir).await.list(None, 1000).await.unwrap();
        assert!(listing.end);
        listing.entries.into_iter().map(|entry| entry.name).collect()
    }
}

/// A name with the key it must denote.
pub(super) fn named<'a>(dir: &'a DirRef, name: &'a str, key: FileKey) -> Named<'a> {
    Named { dir, name, key }
}
