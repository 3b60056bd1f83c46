//! Key-value storage for snapshots, node metadata and materialised state.
//!
//! Values may be large; keys are short. [`SledStore`] serves real nodes; [`DiskStore`] lies on the
//! byte-level [`crate::disk`], so that the simulator can cut its power.
//!
//! The rules of both:
//! - a write is visible to readers when it returns, and durable once a [`Kv::flush`] that began after
//!   it has returned;
//! - a power cut before that may keep any of the writes since the last flush and lose the others,
//!   key by key: what must change together belongs under one key, or behind one that is flushed last;
//! - a value is kept whole or not at all, and checked when it is read;
//! - after a failed flush nothing is known of the writes it covered, and the store refuses everything.

mod disk_store;
#[cfg(not(madsim))]
mod sled_store;

use std::io;

use async_trait::async_trait;
use bytes::Bytes;

pub use disk_store::DiskStore;
#[cfg(not(madsim))]
pub use sled_store::SledStore;

/// The longest key, in bytes.
pub const MAX_KEY: usize = 90;
/// The largest value, in bytes.
pub const MAX_VALUE: usize = 256 << 20;

/// New values of keys; `None` removes one. Later ones of the same key count.
pub type KvBatch = Vec<(Vec<u8>, Option<Bytes>)>;

/// A store of values under keys. Cheap to share; all methods may be called from several tasks.
#[async_trait]
pub trait Kv: Send + Sync + 'static {
    /// The value of a key.
    ///
    /// # Errors
    /// `InvalidData` if the value is damaged, and the environment's.
    async fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>>;

    /// The keys from `from` up to, not including, `to`, in order.
    ///
    /// # Errors
    /// The environment's.
    async fn keys(&self, from: &[u8], to: &[u8]) -> io::Result<Vec<Vec<u8>>>;

    /// Changes values. Visible on return, durable with the next flush.
    ///
    /// # Errors
    /// `InvalidInput` if a key or value is too long, and the environment's.
    async fn write(&self, batch: KvBatch) -> io::Result<()>;

    /// Makes all writes so far durable.
    ///
    /// # Errors
    /// Any is final.
    async fn flush(&self) -> io::Result<()>;

    /// The keys and values from `from` up to, not including, `to`, in order, all at once.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn range(&self, from: &[u8], to: &[u8]) -> io::Result<Vec<(Vec<u8>, Bytes)>> {
        let mut found = Vec::new();
        for key in self.keys(from, to).await? {
            if let Some(value) = self.get(&key).await? {
                found.push((key, value));
            }
        }
        Ok(found)
    }
}

/// Refuses what no store takes.
fn check_batch(batch: &KvBatch) -> io::Result<()> {
    for (key, value) in batch {
        let length = value.as_ref().map_or(0, Bytes::len);
        if key.is_empty() || key.len() > MAX_KEY || length > MAX_VALUE {
            let what = format!("a key of {} bytes with a value of {length} bytes", key.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
    }
    Ok(())
}

/// Checksum of a value and of the key that it belongs to.
fn checksum(key: &[u8], value: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&(key.len() as u64).to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(crc, key), value)
}

fn damaged(key: &[u8], what: &str) -> io::Error {
    let key = key.escape_ascii();
    io::Error::new(io::ErrorKind::InvalidData, format!("the value of \"{key}\" is damaged: {what}"))
}

#[cfg(all(test, not(madsim)))]
mod tests;
