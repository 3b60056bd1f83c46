//! A connection, bare or sealed; the HTTP/2 above it sees bytes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;
use tonic::transport::server::Connected;

use super::remote::Remote;

/// A connection that may be used: whatever it is to prove is proved.
pub struct Wire {
    carrier: Carrier,
    remote: Remote,
}

enum Carrier {
    Bare(TcpStream),
    Sealed(Box<TlsStream<TcpStream>>),
}

impl Wire {
    /// TCP as it is.
    pub fn bare(stream: TcpStream) -> Wire {
        Wire { carrier: Carrier::Bare(stream), remote: Remote::unproven() }
    }

    /// TCP within TLS, whose handshake is through.
    pub fn sealed(stream: TlsStream<TcpStream>, remote: Remote) -> Wire {
        Wire { carrier: Carrier::Sealed(Box::new(stream)), remote }
    }

    /// Who is at the other end.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }
}

impl Connected for Wire {
    type ConnectInfo = Remote;

    fn connect_info(&self) -> Remote {
        self.remote.clone()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().carrier {
            Carrier::Bare(stream) => Pin::new(stream).poll_read(cx, buf),
            Carrier::Sealed(stream) => Pin::new(&mut **stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().carrier {
            Carrier::Bare(stream) => Pin::new(stream).poll_write(cx, bytes),
            Carrier::Sealed(stream) => Pin::new(&mut **stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().carrier {
            Carrier::Bare(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Carrier::Sealed(stream) => Pin::new(&mut **stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.carrier {
            Carrier::Bare(stream) => stream.is_write_vectored(),
            Carrier::Sealed(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().carrier {
            Carrier::Bare(stream) => Pin::new(stream).poll_flush(cx),
            Carrier::Sealed(stream) => Pin::new(&mut **stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().carrier {
            Carrier::Bare(stream) => Pin::new(stream).poll_shutdown(cx),
            Carrier::Sealed(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }
}
