//! The socket in the node's folder, on both sides.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use futures::stream;
use tokio::net::UnixListener;

use super::pb::admin_server::AdminServer;
use super::service::AdminService;
use crate::folder::NodeFolder;

/// The longest path that a socket address holds.
const ADDRESS_MAX: usize = 107;

/// The socket's path, short enough for a socket address however deep the folder lies.
#[derive(Debug)]
pub struct AdminSocket {
    path: PathBuf,
    /// What a path through `/proc` leads through; kept open while the path is used.
    _folder: Option<File>,
}

impl AdminSocket {
    /// The socket of that folder.
    pub fn of(folder: &NodeFolder) -> io::Result<AdminSocket> {
        let path = folder.admin_socket();
        if path.as_os_str().len() <= ADDRESS_MAX {
            return Ok(AdminSocket { path, _folder: None });
        }
        let opened = File::open(folder.path())?;
        let path =
            Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string()).join("admin.sock");
        Ok(AdminSocket { path, _folder: Some(opened) })
    }

    /// The path to bind or connect to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Listens; the caller holds the folder's lock, so a socket that is there is a dead one's.
    fn listen(&self) -> io::Result<UnixListener> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Until the mode is set the folder's own mode keeps strangers out.
        let listener = UnixListener::bind(&self.path)?;
        fs::set_permissions(&self.path, Permissions::from_mode(0o600))?;
        Ok(listener)
    }
}

/// Serves administrators until `stop` resolves.
pub async fn serve(
    folder: &NodeFolder,
    service: AdminService,
    stop: impl Future<Output = ()>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let socket = AdminSocket::of(folder)?;
    let listener = socket.listen()?;
    let incoming = stream::unfold(listener, |listener| async move {
        let accepted = listener.accept().await.map(|(stream, _)| stream);
        Some((accepted, listener))
    });
    tonic::transport::Server::builder()
        .add_service(AdminServer::new(service))
        .serve_with_incoming_shutdown(incoming, stop)
        .await?;
    Ok(())
}
