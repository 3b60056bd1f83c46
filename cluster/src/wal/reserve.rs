//! Room set aside for what must be written even when the disk is full: votes, the marks that let
//! segments be removed, what ends promises.
//!
//! It is a file of zeros beside the segments. When a write finds no room the file is removed and the
//! write tried again; once there is room the file is made anew, and until then the log counts as low
//! on space. Nothing rests on it: a log without its reserve only stops earlier.

use std::io;

use super::WalError;
use super::error::is_full;
use super::writer::sync_names;
use crate::disk::Disk;

/// The reserve's file.
pub(super) const NAME: &str = "reserve";
/// What it is called until it is complete.
pub(super) const UNFINISHED: &str = "reserve.tmp";

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Whether a file in the log's directory is of the reserve.
pub(super) fn is_its_file(name: &str) -> bool {
    name == NAME || name == UNFINISHED
}

/// The reserve of one log. Used by the flusher only.
pub(super) struct Reserve {
    bytes: u64,
    held: bool,
}

impl Reserve {
    /// A reserve of `bytes`, 0 for none, that is not known to be there.
    pub(super) fn new(bytes: u64) -> Self {
        Self { bytes, held: false }
    }

    /// Whether nothing is missing.
    pub(super) fn is_held(&self) -> bool {
        self.held || self.bytes == 0
    }

    /// Makes the reserve if it is not there. Returns why there is no room for it, if there is none.
    ///
    /// # Errors
    /// `Io` for anything but a full disk.
    pub(super) async fn make(&mut self, disk: &dyn Disk) -> Result<Option<io::Error>, WalError> {
        if self.is_held() {
            return Ok(None);
        }
        let doing = || WalError::io("making the log's reserve");
        if self.is_whole(disk).await.map_err(doing())? {
            self.held = true;
            return Ok(None);
        }
        match self.write(disk).await {
            Ok(()) => {
                sync_names(disk).await?;
                self.held = true;
                Ok(None)
            }
            Err(error) if is_full(&error) => {
                remove(disk, UNFINISHED).await.map_err(doing())?;
                Ok(Some(error))
            }
            Err(error) => Err(doing()(error)),
        }
    }

    async fn is_whole(&self, disk: &dyn Disk) -> io::Result<bool> {
        match disk.open(NAME).await {
            Ok(file) => Ok(file.length().await? == self.bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, disk: &dyn Disk) -> io::Result<()> {
        remove(disk, UNFINISHED).await?;
        let file = disk.create(UNFINISHED).await?;
        let mut at = 0;
        while at < self.bytes {
            let piece = &ZEROS[..ZEROS.len().min((self.bytes - at) as usize)];
            file.write_at(at, piece).await?;
            at += piece.len() as u64;
        }
        // A name that has blocks only once it is synced would set nothing aside.
        file.sync_data().await?;
        disk.rename(UNFINISHED, NAME).await
    }

    /// Gives the room back to the disk. Returns whether there was any to give.
    ///
    /// # Errors
    /// `Io`.
    pub(super) async fn release(&mut self, disk: &dyn Disk) -> Result<bool, WalError> {
        if !self.held {
            return Ok(false);
        }
        self.held = false;
        remove(disk, NAME).await.map_err(WalError::io("releasing the log's reserve"))?;
        sync_names(disk).await?;
        Ok(true)
    }
}

async fn remove(disk: &dyn Disk, name: &str) -> io::Result<()> {
    match disk.remove(name).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
