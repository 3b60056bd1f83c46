//! The saved snapshot: pieces in the key-value store, and one record that makes them a snapshot.
//!
//! Two places take turns. The pieces are made durable in the place that is not current, then the
//! record is switched and made durable: a power cut leaves the old snapshot or the new one. Length
//! and checksum are in the record; a snapshot that does not match is an error, never a start from
//! nothing, for the log before it is gone.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use openraft::alias::{SnapshotMetaOf, SnapshotOf};
use prost::Message;
use tokio::sync::Mutex;

use super::network::{pb, snapshot_meta_from, snapshot_meta_to};
use super::type_config::TypeConfig;
use crate::kv::Kv;

const RECORD: &[u8] = b"snapshot/current";
/// Bytes of one piece.
const PIECE: usize = 256 * 1024;

/// Where snapshots are saved.
pub struct SnapshotStore {
    kv: Arc<dyn Kv>,
    /// One save at a time; building and installing may meet.
    saving: Mutex<()>,
}

impl SnapshotStore {
    /// In this store.
    pub fn new(kv: Arc<dyn Kv>) -> SnapshotStore {
        SnapshotStore { kv, saving: Mutex::new(()) }
    }

    /// Saves a snapshot; it is durable on return. An older one than the saved one is not kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn save(&self, meta: &SnapshotMetaOf<TypeConfig>, data: &Bytes) -> io::Result<()> {
        let _one_at_a_time = self.saving.lock().await;
        let current = self.record().await?;
        if let Some(current) = &current
            && index_of(current) > meta.last_log_id.map_or(0, |id| id.index())
        {
            return Ok(());
        }
        let place = match current.as_ref().map(|current| current.place) {
            Some(0) => 1,
            _ => 0,
        };
        for (number, start) in (0..data.len()).step_by(PIECE).enumerate() {
            let piece = data.slice(start..data.len().min(start + PIECE));
            self.kv.write(vec![(piece_key(place, number as u64), Some(piece))]).await?;
        }
        self.kv.flush().await?;
        let record = pb::SavedSnapshot {
            place,
            length: data.len() as u64,
            crc32c: crc32c::crc32c(data),
            meta: Some(snapshot_meta_to(meta)),
        };
        let record = Bytes::from(record.encode_to_vec());
        self.kv.write(vec![(RECORD.to_vec(), Some(record))]).await?;
        self.kv.flush().await?;
        if let Some(old) = current {
            let keys = (0..pieces(old.length)).map(|number| (piece_key(old.place, number), None));
            self.kv.write(keys.collect()).await?;
        }
        Ok(())
    }

    /// The saved snapshot.
    ///
    /// # Errors
    /// It is damaged, or the store's.
    pub async fn load(&self) -> io::Result<Option<SnapshotOf<TypeConfig, Bytes>>> {
        let _no_save_between = self.saving.lock().await;
        let Some(record) = self.record().await? else {
            return Ok(None);
        };
        let mut data = BytesMut::new();
        for number in 0..pieces(record.length) {
            let piece = self.kv.get(&piece_key(record.place, number)).await?;
            data.extend_from_slice(&piece.ok_or_else(|| damaged("a piece is missing"))?);
        }
        if data.len() as u64 != record.length || crc32c::crc32c(&data) != record.crc32c {
            return Err(damaged("length or checksum differ"));
        }
        let meta = record.meta.ok_or_else(|| damaged("no metadata"))?;
        let meta = snapshot_meta_from(meta).map_err(|bad| damaged(&bad.to_string()))?;
        Ok(Some(SnapshotOf::<TypeConfig, Bytes> { meta, snapshot: data.freeze() }))
    }

    async fn record(&self) -> io::Result<Option<pb::SavedSnapshot>> {
        let bytes = self.kv.get(RECORD).await?;
        bytes
            .map(|bytes| pb::SavedSnapshot::decode(&bytes[..]))
            .transpose()
            .map_err(|_| damaged("its record cannot be decoded"))
    }
}

fn index_of(record: &pb::SavedSnapshot) -> u64 {
    record.meta.as_ref().and_then(|meta| meta.last_log.as_ref()).map_or(0, |id| id.index)
}

fn pieces(length: u64) -> u64 {
    length.div_ceil(PIECE as u64)
}

fn piece_key(place: u32, number: u64) -> Vec<u8> {
    format!("snapshot/{place}/{number:08}").into_bytes()
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the saved snapshot is damaged: {why}"))
}
