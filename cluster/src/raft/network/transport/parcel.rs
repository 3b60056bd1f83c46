//! How a new node gets its certificate from one that runs: by a token, once.
//!
//! A parcel is sealed by whoever made the token, with a key that the token alone holds; the node that
//! keeps it can neither read nor change it, and it needs no protection on its way. A parcel lies at
//! one node, which forgets it before it hands it out: it is handed out once at most.
//!
//! The asking end says [`GREETING`] and the parcel's id; the answer is a length (four bytes, big
//! endian), 0 if there is no such parcel (any more), and the parcel.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What the asking end says first. TLS and HTTP/2 begin with other bytes.
pub const GREETING: &[u8; 16] = b"HOLDFAST-PARCEL\n";
/// No parcel is larger, in bytes.
const PARCEL_MAX: u32 = 64 * 1024;
/// How long the asking end waits.
const FETCH_MAX: Duration = Duration::from_secs(10);

/// What names a parcel; says nothing of the key that opens it.
pub type ParcelId = [u8; 16];

/// The parcels that a node keeps.
pub trait Parcels: Send + Sync {
    /// The parcel of that id, forgotten from now on; none if it was never there, was handed out or
    /// has lain too long.
    ///
    /// # Errors
    /// It cannot be forgotten, and is therefore not handed out.
    fn take(&self, id: &ParcelId) -> io::Result<Option<Vec<u8>>>;
}

/// Answers who begins like one that asks for a parcel. True: it was handed out.
pub(super) async fn hand_out(mut stream: TcpStream, parcels: &dyn Parcels) -> io::Result<bool> {
    let mut greeting = [0; GREETING.len()];
    stream.read_exact(&mut greeting).await?;
    if greeting != *GREETING {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it does not speak TLS"));
    }
    let mut id = ParcelId::default();
    stream.read_exact(&mut id).await?;
    let parcel = parcels.take(&id)?;
    let content = parcel.as_deref().unwrap_or_default();
    let length = u32::try_from(content.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(content).await?;
    stream.shutdown().await?;
    Ok(parcel.is_some())
}

/// Asks the node at that address for a parcel. None: it has no such parcel (any more).
///
/// # Errors
/// It cannot be reached, or does not answer as it should.
pub async fn fetch_parcel(address: SocketAddr, id: &ParcelId) -> io::Result<Option<Vec<u8>>> {
    let fetched = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(GREETING).await?;
        stream.write_all(id).await?;
        let length = stream.read_u32().await?;
        if length > PARCEL_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no parcel"));
        }
        let mut content = vec![0; length as usize];
        stream.read_exact(&mut content).await?;
        Ok((length > 0).then_some(content))
    };
    timeout(FETCH_MAX, fetched).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
