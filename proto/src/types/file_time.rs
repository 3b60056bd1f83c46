//! FILETIME ([MS-DTYP] 2.3.3): 100 ns since 1601-01-01 UTC.

/// A point in time on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FileTime(pub u64);

/// Seconds from 1601-01-01 to 1970-01-01.
const UNIX_EPOCH_SECONDS: i128 = 11_644_473_600;

impl FileTime {
    /// Leave this time as it is ([MS-FSCC] 2.4.7).
    pub const UNCHANGED: FileTime = FileTime(0);

    /// From a Unix time; times before 1601 become 0, times past the range the last one.
    pub fn from_unix(seconds: i64, nanos: u32) -> FileTime {
        let ticks =
            (i128::from(seconds) + UNIX_EPOCH_SECONDS) * 10_000_000 + i128::from(nanos / 100);
        FileTime(ticks.clamp(0, i128::from(i64::MAX)) as u64)
    }

    /// To seconds and nanoseconds of Unix time.
    pub fn to_unix(self) -> (i64, u32) {
        let seconds = (self.0 / 10_000_000) as i128 - UNIX_EPOCH_SECONDS;
        (seconds as i64, (self.0 % 10_000_000) as u32 * 100)
    }
}
