//! What the commands ask a running node, and how its refusals read.

use std::path::PathBuf;
use std::time::Duration;

use holdfast_proto::auth::ntlmv2::NtHash;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use super::pb;
use super::pb::admin_client::AdminClient as Stub;
use super::socket::AdminSocket;
use crate::folder::NodeFolder;

/// Longer than the node itself waits for a quorum.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
const CONNECT_WAIT: Duration = Duration::from_secs(2);

/// Why a node did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Nobody listens.
    #[error("{}: no node answers here ({why}); is «holdfast serve» running on this folder?", folder.display())]
    NoNode { folder: PathBuf, why: String },
    /// The node said no.
    #[error("{0}")]
    Refused(String),
    /// The cluster gave no answer; it may still be done.
    #[error("{0}")]
    Unknown(String),
}

impl From<Status> for AdminError {
    fn from(status: Status) -> AdminError {
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                AdminError::Unknown(status.message().to_owned())
            }
            _ => AdminError::Refused(status.message().to_owned()),
        }
    }
}

/// A connection to one node's admin service.
#[derive(Debug)]
pub struct AdminClient {
    stub: Stub<Channel>,
    _socket: AdminSocket,
}

impl AdminClient {
    /// Connects to the node that serves the folder.
    pub async fn connect(folder: &NodeFolder) -> Result<AdminClient, AdminError> {
        Self::connect_for(folder, ANSWER_WAIT).await
    }

    /// The same for questions whose answers may take longer than usual.
    pub async fn connect_for(
        folder: &NodeFolder,
        answer_wait: Duration,
    ) -> Result<AdminClient, AdminError> {
        let no_node = |why: String| AdminError::NoNode { folder: folder.path().to_owned(), why };
        let socket = AdminSocket::of(folder).map_err(|error| no_node(error.to_string()))?;
        if !socket.path().exists() {
            return Err(no_node("there is no admin socket".to_owned()));
        }
        let path =
            socket.path().to_str().ok_or_else(|| no_node("the path is not UTF-8".to_owned()))?;
        let channel = Endpoint::from_shared(format!("unix://{path}"))
            .map_err(|error| no_node(error.to_string()))?
            .connect_timeout(CONNECT_WAIT)
            .timeout(answer_wait)
            .connect()
            .await
            .map_err(|error| no_node(innermost(&error)))?;
        Ok(AdminClient { stub: Stub::new(channel), _socket: socket })
    }

    /// What the node knows of its cluster.
    pub async fn status(&mut self) -> Result<pb::StatusReply, AdminError> {
        Ok(self.stub.status(pb::StatusRequest {}).await?.into_inner())
    }

    /// Adds a user, or changes the password of one.
    pub async fn put_user(
        &mut self,
        put: pb::Put,
        name: &str,
        password: &str,
    ) -> Result<(), AdminError> {
        let nt_hash = NtHash::of_password(password).expose().to_vec();
        let request = pb::PutUserRequest { put: put.into(), name: name.to_owned(), nt_hash };
        self.stub.put_user(request).await?;
        Ok(())
    }

    /// Removes a user.
    pub async fn remove_user(&mut self, name: &str) -> Result<(), AdminError> {
        self.stub.remove_user(pb::RemoveUserRequest { name: name.to_owned() }).await?;
        Ok(())
    }

    /// Every user, by name.
    pub async fn users(&mut self) -> Result<Vec<pb::User>, AdminError> {
        Ok(self.stub.list_users(pb::ListUsersRequest {}).await?.into_inner().users)
    }

    /// Adds a share, or changes one.
    pub async fn put_share(&mut self, put: pb::Put, share: pb::Share) -> Result<(), AdminError> {
        let request = pb::PutShareRequest { put: put.into(), share: Some(share) };
        self.stub.put_share(request).await?;
        Ok(())
    }

    /// Removes a share.
    pub async fn remove_share(&mut self, name: &str) -> Result<(), AdminError> {
        self.stub.remove_share(pb::RemoveShareRequest { name: name.to_owned() }).await?;
        Ok(())
    }

    /// Every share, by name.
    pub async fn shares(&mut self) -> Result<Vec<pb::Share>, AdminError> {
        Ok(self.stub.list_shares(pb::ListSharesRequest {}).await?.into_inner().shares)
    }

    /// Demands encryption of every new session, or leaves it to the shares.
    pub async fn set_encryption(&mut self, required: bool) -> Result<(), AdminError> {
        self.stub.set_encryption(pb::SetEncryptionRequest { required }).await?;
        Ok(())
    }

    /// Has the leader suspect a node; counts for a while and is to be repeated.
    pub async fn fence_node(
        &mut self,
        request: pb::FenceNodeRequest,
    ) -> Result<pb::FenceNodeReply, AdminError> {
        Ok(self.stub.fence_node(request).await?.into_inner())
    }

    /// Takes a node out of service, or goes on with it.
    pub async fn drain_node(
        &mut self,
        request: pb::DrainNodeRequest,
    ) -> Result<pb::DrainNodeReply, AdminError> {
        Ok(self.stub.drain_node(request).await?.into_inner())
    }

    /// Puts a node back into service.
    pub async fn resume_node(&mut self, node: u64) -> Result<(), AdminError> {
        self.stub.resume_node(pb::ResumeNodeRequest { node }).await?;
        Ok(())
    }

    /// Has the node measure its paths to the others.
    pub async fn examine_peers(&mut self) -> Result<Vec<pb::Finding>, AdminError> {
        let request = pb::ExaminePeersRequest {};
        Ok(self.stub.examine_peers(request).await?.into_inner().findings)
    }

    /// Has the nodes try out a volume together.
    pub async fn examine_volume(&mut self, volume: u64) -> Result<Vec<pb::Finding>, AdminError> {
        let request = pb::ExamineVolumeRequest { volume };
        Ok(self.stub.examine_volume(request).await?.into_inner().findings)
    }
}

/// The cause at the bottom: what the operating system said.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
