//! The client's end of a TCP connection, as clients of a file server set it up: small messages go at
//! once, and a path that is lost without a word is noticed within two seconds or so.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::sockopt::{
    set_socket_keepalive, set_tcp_keepidle, set_tcp_keepintvl, set_tcp_user_timeout,
};
use tokio::net::TcpStream;

/// What was sent must have arrived within this time, in milliseconds. It is the other system that
/// says so, not its server: one that is slow, or stands still, loses no connection by it.
const ARRIVAL_LIMIT: u32 = 1_000;
/// Who hears nothing for so long asks whether the other system is there; seconds are as fine as it
/// gets.
const SILENCE: Duration = Duration::from_secs(1);

/// Connects to a node.
pub(super) async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    set_socket_keepalive(&stream, true)?;
    set_tcp_keepidle(&stream, SILENCE)?;
    set_tcp_keepintvl(&stream, SILENCE)?;
    set_tcp_user_timeout(&stream, ARRIVAL_LIMIT)?;
    Ok(stream)
}
