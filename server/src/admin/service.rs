//! Carries administrators' requests to the cluster and back.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use holdfast_cluster::command::{Command, ShareSettings, UserSettings};
use holdfast_cluster::handle::{Cluster, SubmitError};
use holdfast_cluster::outcome::{Outcome, Refusal};
use holdfast_proto::types::{NodeId, VolumeId};
use tonic::{Request, Response, Status};

use super::doctor;
use super::names::{check_share_name, check_user_name};
use super::nodes;
use super::pb;
use super::pb::admin_server::Admin;
use super::status::{status_before_join, status_of};
use crate::doctor::network::PathLimits;
use crate::fence::FenceLog;
use crate::node::Node;
use crate::vfs::VolumePath;

/// What persistent opens may be made to wait for their clients.
const CA_TIMEOUT_MILLIS: std::ops::RangeInclusive<u64> = 1_000..=300_000;

/// What the service tells of its own node besides the cluster's state.
#[async_trait]
pub trait NodeView: Send + Sync {
    /// Whom the node takes for the leader.
    async fn leader(&self) -> Option<NodeId>;
    /// What is wrong with the node's log while something is.
    fn log_trouble(&self) -> Option<String>;
    /// True while it takes clients' connections.
    fn is_serving(&self) -> bool;
    /// True while an administrator wants it to take none.
    fn is_withdrawn(&self) -> bool;
}

/// What the service stands on once the node has joined.
pub struct Membership {
    pub cluster: Arc<dyn Cluster>,
    pub view: Arc<dyn NodeView>,
    /// What is examined, and has other nodes help.
    pub node: Arc<Node>,
    /// What the paths between nodes must keep.
    pub path_limits: PathLimits,
}

/// The admin service of one node. It answers from the start: whoever looks after a node that finds
/// no quorum wants to hear just that.
pub struct AdminService {
    node: NodeId,
    membership: Arc<OnceLock<Membership>>,
    fencings: Arc<FenceLog>,
    /// The volumes that this node's settings name.
    volumes: BTreeSet<VolumeId>,
}

impl AdminService {
    /// A service of `node`, whose membership follows.
    pub fn new(
        node: NodeId,
        membership: Arc<OnceLock<Membership>>,
        fencings: Arc<FenceLog>,
        volumes: BTreeSet<VolumeId>,
    ) -> AdminService {
        AdminService { node, membership, fencings, volumes }
    }

    fn membership(&self) -> Result<&Membership, Status> {
        self.membership.get().ok_or_else(|| {
            Status::unavailable(
                "this node has not joined the cluster yet: it finds no quorum of the nodes",
            )
        })
    }

    fn cluster(&self) -> Result<&dyn Cluster, Status> {
        self.membership().map(|membership| &*membership.cluster)
    }

    /// Submits and says in words what became of it. `who`: «user Jane».
    async fn submit(&self, command: Command, who: &str) -> Result<Response<pb::Done>, Status> {
        match self.cluster()?.submit(command).await {
            Ok(Outcome::Done) => Ok(Response::new(pb::Done {})),
            Ok(Outcome::Refused(refusal)) => Err(refused(refusal, who)),
            Ok(other) => Err(Status::internal(format!("{who}: unexpected outcome {other:?}"))),
            Err(error) => Err(unanswered(error)),
        }
    }

    /// What is told must not be older than what was acknowledged before.
    async fn catch_up(&self) -> Result<(), Status> {
        self.cluster()?.read_index().await.map_err(unanswered)
    }

    async fn must_be_there(&self, there: bool, who: &str) -> Result<(), Status> {
        if there { Ok(()) } else { Err(refused(Refusal::NotFound, who)) }
    }

    fn share_settings(&self, share: pb::Share) -> Result<ShareSettings, Status> {
        check_share_name(&share.name).map_err(Status::invalid_argument)?;
        let volume = VolumeId(share.volume);
        if !self.volumes.contains(&volume) {
            let known: Vec<String> = self.volumes.iter().map(|id| id.0.to_string()).collect();
            return Err(Status::invalid_argument(format!(
                "there is no volume {}; the settings of this node name {}",
                volume.0,
                known.join(", ")
            )));
        }
        if !share.path.is_empty() {
            VolumePath::parse(&share.path).map_err(|error| {
                Status::invalid_argument(format!(
                    "«{}» is not a path within a volume: {error}",
                    share.path
                ))
            })?;
        }
        if !CA_TIMEOUT_MILLIS.contains(&share.ca_timeout_millis) {
            return Err(Status::invalid_argument(format!(
                "persistent opens wait from {} to {} ms",
                CA_TIMEOUT_MILLIS.start(),
                CA_TIMEOUT_MILLIS.end()
            )));
        }
        Ok(ShareSettings {
            name: share.name,
            comment: share.comment,
            volume,
            path: share.path,
            continuously_available: share.continuously_available,
            encrypt: share.encrypt,
            read_only: share.read_only,
            ca_timeout_millis: share.ca_timeout_millis,
        })
    }
}

fn refused(refusal: Refusal, who: &str) -> Status {
    match refusal {
        Refusal::Exists => Status::already_exists(format!("{who} is there already")),
        Refusal::NotFound => Status::not_found(format!("there is no {who}")),
        Refusal::InUse => Status::failed_precondition(format!("{who} is in use")),
        Refusal::UnfitVolume => Status::failed_precondition(format!(
            "{who}: its volume failed an examination, so nothing on it can be continuously available. \
             «holdfast status» says why, and «holdfast doctor» examines it anew; \
             --not-continuously-available serves it without that promise"
        )),
        Refusal::InsufficientResources => {
            Status::resource_exhausted(format!("{who}: the cluster holds as many as it may"))
        }
        other => Status::failed_precondition(format!("{who}: the cluster refuses ({other:?})")),
    }
}

fn unanswered(error: SubmitError) -> Status {
    match error {
        SubmitError::Unknown => Status::unavailable(
            "the cluster has no quorum now, or is too slow; the change may still be carried out",
        ),
        SubmitError::Ended => Status::unavailable("this node is shutting down; ask another one"),
    }
}

#[async_trait]
impl Admin for AdminService {
    async fn status(
        &self,
        _: Request<pb::StatusRequest>,
    ) -> Result<Response<pb::StatusReply>, Status> {
        let Some(Membership { cluster, view, .. }) = self.membership.get() else {
            return Ok(Response::new(status_before_join(self.node)));
        };
        let leader = view.leader().await;
        Ok(Response::new(status_of(&**cluster, leader, &**view, &self.fencings)))
    }

    async fn put_user(
        &self,
        request: Request<pb::PutUserRequest>,
    ) -> Result<Response<pb::Done>, Status> {
        let request = request.into_inner();
        check_user_name(&request.name).map_err(Status::invalid_argument)?;
        let who = format!("user «{}»", request.name);
        let nt_hash = request.nt_hash[..]
            .try_into()
            .map_err(|_| Status::invalid_argument("the password's hash has 16 bytes"))?;
        let mut settings = UserSettings { name: request.name, nt_hash, disabled: false };
        let replace = request.put == i32::from(pb::Put::Change);
        if replace {
            self.catch_up().await?;
            let state = self.cluster()?.state();
            let before = state.user_by_name(&settings.name);
            self.must_be_there(before.is_some(), &who).await?;
            if let Some(before) = before {
                settings.name.clone_from(&before.settings.name);
                settings.disabled = before.settings.disabled;
            }
        }
        self.submit(Command::PutUser { settings, replace }, &who).await
    }

    async fn remove_user(
        &self,
        request: Request<pb::RemoveUserRequest>,
    ) -> Result<Response<pb::Done>, Status> {
        let name = request.into_inner().name;
        let who = format!("user «{name}»");
        self.submit(Command::RemoveUser { name }, &who).await
    }

    async fn list_users(
        &self,
        _: Request<pb::ListUsersRequest>,
    ) -> Result<Response<pb::UserList>, Status> {
        self.catch_up().await?;
        let state = self.cluster()?.state();
        let user = |name: &str, disabled| pb::User { name: name.to_owned(), disabled };
        let users =
            state.users().map(|record| user(&record.settings.name, record.settings.disabled));
        Ok(Response::new(pb::UserList { users: users.collect() }))
    }

    async fn put_share(
        &self,
        request: Request<pb::PutShareRequest>,
    ) -> Result<Response<pb::Done>, Status> {
        let request = request.into_inner();
        let share = request.share.ok_or_else(|| Status::invalid_argument("no share is named"))?;
        let settings = self.share_settings(share)?;
        let who = format!("share «{}»", settings.name);
        let replace = request.put == i32::from(pb::Put::Change);
        if replace {
            self.catch_up().await?;
            let there = self.cluster()?.state().share_by_name(&settings.name).is_some();
            self.must_be_there(there, &who).await?;
        }
        self.submit(Command::PutShare { settings, replace }, &who).await
    }

    async fn remove_share(
        &self,
        request: Request<pb::RemoveShareRequest>,
    ) -> Result<Response<pb::Done>, Status> {
        let name = request.into_inner().name;
        let who = format!("share «{name}»");
        self.submit(Command::RemoveShare { name }, &who).await
    }

    async fn list_shares(
        &self,
        _: Request<pb::ListSharesRequest>,
    ) -> Result<Response<pb::ShareList>, Status> {
        self.catch_up().await?;
        let state = self.cluster()?.state();
        let shares = state.shares().map(|record| share_of(&record.settings));
        Ok(Response::new(pb::ShareList { shares: shares.collect() }))
    }

    async fn set_encryption(
        &self,
        request: Request<pb::SetEncryptionRequest>,
    ) -> Result<Response<pb::Done>, Status> {
        let required = request.into_inner().required;
        self.submit(Command::SetEncryption { required }, "the cluster").await
    }

    async fn fence_node(
        &self,
        request: Request<pb::FenceNodeRequest>,
    ) -> Result<Response<pb::FenceNodeReply>, Status> {
        self.catch_up().await?;
        nodes::fence(self.cluster()?, &self.fencings, request.get_ref()).map(Response::new)
    }

    async fn drain_node(
        &self,
        request: Request<pb::DrainNodeRequest>,
    ) -> Result<Response<pb::DrainNodeReply>, Status> {
        self.catch_up().await?;
        nodes::drain(self.cluster()?, request.get_ref()).await.map(Response::new)
    }

    async fn resume_node(
        &self,
        request: Request<pb::ResumeNodeRequest>,
    ) -> Result<Response<pb::Done>, Status> {
        let node = NodeId(request.get_ref().node);
        nodes::resume(self.cluster()?, node).await.map(|()| Response::new(pb::Done {}))
    }

    async fn examine_peers(
        &self,
        _: Request<pb::ExaminePeersRequest>,
    ) -> Result<Response<pb::Findings>, Status> {
        let Membership { node, path_limits, .. } = self.membership()?;
        Ok(Response::new(doctor::examine_peers(node, path_limits).await))
    }

    async fn examine_volume(
        &self,
        request: Request<pb::ExamineVolumeRequest>,
    ) -> Result<Response<pb::Findings>, Status> {
        let volume = VolumeId(request.get_ref().volume);
        let node = &self.membership()?.node;
        doctor::examine_volume(node, volume).await.map(Response::new)
    }
}

fn share_of(settings: &ShareSettings) -> pb::Share {
    pb::Share {
        name: settings.name.clone(),
        comment: settings.comment.clone(),
        volume: settings.volume.0,
        path: settings.path.clone(),
        continuously_available: settings.continuously_available,
        encrypt: settings.encrypt,
        read_only: settings.read_only,
        ca_timeout_millis: settings.ca_timeout_millis,
    }
}
