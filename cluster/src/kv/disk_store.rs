//! A key-value store of one file per value, over the byte-level disk: what the simulator uses.
//!
//! Writes wait in memory. A flush writes each value to a temporary file, syncs it, gives it its name
//! and at last syncs the names, so that a power cut leaves the old value or the new one.
//!
//! Its calls block where the disk's do, so over a real directory it is for tools and tests.
//!
//! A file: CRC-32C of key and value (u32), value. Its name is `v-` and the key in hexadecimal.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;

use super::{Kv, KvBatch, check_batch, checksum, damaged};
use crate::disk::Disk;

const TEMPORARY: &str = "flush.tmp";
const PREFIX: &str = "v-";
const CHECKSUM: usize = 4;

/// See the module's documentation.
pub struct DiskStore {
    disk: Arc<dyn Disk>,
    /// One flush at a time.
    flushing: tokio::sync::Mutex<()>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// Writes that are not durable yet, each with its number.
    pending: BTreeMap<Vec<u8>, (u64, Option<Bytes>)>,
    writes: u64,
    /// Why the store refuses everything, once it does.
    failure: Option<String>,
}

impl Memory {
    fn check(&self) -> io::Result<()> {
        match &self.failure {
            Some(failure) => Err(io::Error::other(failure.clone())),
            None => Ok(()),
        }
    }
}

impl DiskStore {
    /// Opens a directory that holds such a store or nothing.
    ///
    /// # Errors
    /// `InvalidData` if something else is there, and the environment's.
    pub async fn open(disk: Arc<dyn Disk>) -> io::Result<Self> {
        for name in disk.list().await? {
            if name == TEMPORARY {
                disk.remove(&name).await?;
            } else if key_of(&name).is_none() {
                let what = format!("{name} does not belong to a key-value store");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        // A node that died without a power cut left values that may not be durable yet.
        for name in disk.list().await? {
            disk.open(&name).await?.sync_data().await?;
        }
        disk.sync_dir().await?;
        Ok(Self { disk, flushing: tokio::sync::Mutex::default(), memory: Mutex::default() })
    }

    async fn read(&self, key: &[u8]) -> io::Result<Option<Bytes>> {
        let file = match self.disk.open(&name_of(key)).await {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let length = usize::try_from(file.length().await?).map_err(io::Error::other)?;
        let bytes = Bytes::from(file.read_at(0, length).await?);
        let Some(stored) = bytes.first_chunk::<CHECKSUM>() else {
            return Err(damaged(key, "its file is cut off"));
        };
        let value = bytes.slice(CHECKSUM..);
        if u32::from_le_bytes(*stored) != checksum(key, &value) {
            return Err(damaged(key, "its checksum differs"));
        }
        Ok(Some(value))
    }

    async fn save(&self, key: &[u8], value: &Bytes) -> io::Result<()> {
        let file = self.disk.create(TEMPORARY).await?;
        file.write_at(0, &checksum(key, value).to_le_bytes()).await?;
        file.write_at(CHECKSUM as u64, value).await?;
        file.sync_data().await?;
        self.disk.rename(TEMPORARY, &name_of(key)).await
    }

    async fn save_all(&self, batch: &BTreeMap<Vec<u8>, (u64, Option<Bytes>)>) -> io::Result<()> {
        for (key, (_, value)) in batch {
            match value {
                Some(value) => self.save(key, value).await?,
                None => match self.disk.remove(&name_of(key)).await {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                    Ok(()) | Err(_) => {}
                },
            }
        }
        self.disk.sync_dir().await
    }
}

#[async_trait]
impl Kv for DiskStore {
    async fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>> {
        {
            let memory = self.memory.lock();
            memory.check()?;
            if let Some((_, value)) = memory.pending.get(key) {
                return Ok(value.clone());
            }
        }
        self.read(key).await
    }

    async fn keys(&self, from: &[u8], to: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let names = self.disk.list().await?;
        let mut keys: std::collections::BTreeSet<Vec<u8>> =
            names.iter().filter_map(|name| key_of(name)).collect();
        let memory = self.memory.lock();
        memory.check()?;
        for (key, (_, value)) in &memory.pending {
            if value.is_some() {
                keys.insert(key.clone());
            } else {
                keys.remove(key);
            }
        }
        keys.retain(|key| key.as_slice() >= from && key.as_slice() < to);
        Ok(keys.into_iter().collect())
    }

    async fn write(&self, batch: KvBatch) -> io::Result<()> {
        check_batch(&batch)?;
        let mut memory = self.memory.lock();
        memory.check()?;
        for (key, value) in batch {
            memory.writes += 1;
            let number = memory.writes;
            memory.pending.insert(key, (number, value));
        }
        Ok(())
    }

    async fn flush(&self) -> io::Result<()> {
        let _one_at_a_time = self.flushing.lock().await;
        let batch = {
            let memory = self.memory.lock();
            memory.check()?;
            memory.pending.clone()
        };
        if let Err(error) = self.save_all(&batch).await {
            self.memory.lock().failure = Some(format!("an earlier flush failed: {error}"));
            return Err(error);
        }
        let mut memory = self.memory.lock();
        for (key, (number, _)) in batch {
            if memory.pending.get(&key).is_some_and(|(now, _)| *now == number) {
                memory.pending.remove(&key);
            }
        }
        Ok(())
    }
}

fn name_of(key: &[u8]) -> String {
    use std::fmt::Write;
    let mut name = PREFIX.to_owned();
    for byte in key {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

fn key_of(name: &str) -> Option<Vec<u8>> {
    let hex = name.strip_prefix(PREFIX)?;
    if hex.is_empty() || !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    let key: Option<Vec<u8>> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect();
    key.filter(|key| name_of(key) == name)
}
