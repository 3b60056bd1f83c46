//! Puts the share and the user in place and waits until every node serves.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_cluster::ports::Random;
use holdfast_proto::types::NodeId;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::layout::{Access, Layout};
use crate::admin::{AdminClient, AdminError, pb};
use crate::folder::NodeFolder;
use crate::random::HostRandom;

type Error = Box<dyn std::error::Error + Send + Sync>;

const POLL: Duration = Duration::from_millis(50);
const USER_DEFAULT: &str = "demo";
/// Without letters and digits that are taken for each other.
const PASSWORD_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const PASSWORD_LENGTH: usize = 12;
const CA_TIMEOUT_MILLIS: u64 = 180_000;

/// Who may log on to what, as it is.
pub struct Settled {
    pub share: String,
    pub user: String,
    /// None: it was chosen earlier, and only who chose it knows it.
    pub password: Option<String>,
}

/// Adds what is missing, through whichever node answers first.
pub async fn set_up(layout: &Layout, wanted: &Access) -> Result<Settled, Error> {
    loop {
        let mut client = first_with_quorum(layout).await;
        match try_set_up(layout, &mut client, wanted).await {
            // The node ended, or lost its quorum: another one will do it. What was done already is
            // found done.
            Err(SetUpError::Admin(AdminError::Unknown(_) | AdminError::NoNode { .. })) => {
                sleep(POLL).await;
            }
            Err(SetUpError::Admin(error)) => return Err(error.into()),
            Err(SetUpError::Folder(error)) => return Err(error),
            Ok(settled) => return Ok(settled),
        }
    }
}

enum SetUpError {
    Admin(AdminError),
    Folder(Error),
}

impl From<AdminError> for SetUpError {
    fn from(error: AdminError) -> SetUpError {
        SetUpError::Admin(error)
    }
}

async fn try_set_up(
    layout: &Layout,
    client: &mut AdminClient,
    wanted: &Access,
) -> Result<Settled, SetUpError> {
    add_share(client, &wanted.share).await?;
    let remembered = layout.remembered();
    let user = wanted.user.clone().or(remembered.user).unwrap_or_else(|| USER_DEFAULT.to_owned());
    let there = client.users().await?.iter().any(|known| known.name.eq_ignore_ascii_case(&user));
    let made_up = remembered.passwords.get(&user).cloned();
    let password = match (&wanted.password, there) {
        (Some(chosen), there) => {
            let put = if there { pb::Put::Change } else { pb::Put::Add };
            client.put_user(put, &user, chosen).await?;
            Some(chosen.clone())
        }
        (None, true) => made_up.clone(),
        (None, false) => {
            let password = made_up.clone().unwrap_or_else(|| make_up_password(&HostRandom));
            // Before the user is there: afterwards nobody could tell it any more.
            let kept = layout.remember(|remembered| {
                remembered.passwords.insert(user.clone(), password.clone());
            });
            kept.map_err(SetUpError::Folder)?;
            client.put_user(pb::Put::Add, &user, &password).await?;
            Some(password)
        }
    };
    let kept = layout.remember(|remembered| {
        if wanted.password.is_some() {
            remembered.passwords.remove(&user);
        }
        remembered.user = Some(user.clone());
    });
    kept.map_err(SetUpError::Folder)?;
    Ok(Settled { share: wanted.share.clone(), user, password })
}

/// A node that answers questions which need a quorum.
async fn first_with_quorum(layout: &Layout) -> AdminClient {
    loop {
        for node in layout.nodes() {
            if let Ok(mut client) = AdminClient::connect(&layout.folder(node)).await
                && client.status().await.is_ok_and(|status| status.leader != 0)
            {
                return client;
            }
        }
        sleep(POLL).await;
    }
}

async fn add_share(client: &mut AdminClient, name: &str) -> Result<(), AdminError> {
    if client.shares().await?.iter().any(|share| share.name.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    let share = pb::Share {
        name: name.to_owned(),
        comment: "Try killing a node".to_owned(),
        volume: 1,
        continuously_available: true,
        ca_timeout_millis: CA_TIMEOUT_MILLIS,
        ..pb::Share::default()
    };
    client.put_share(pb::Put::Add, share).await
}

/// Waits until every node takes clients and knows share and user; what each says then.
pub async fn every_node_serves(
    layout: &Layout,
    settled: &Settled,
) -> BTreeMap<NodeId, pb::StatusReply> {
    let mut states = BTreeMap::new();
    for node in layout.nodes() {
        loop {
            if let Some(status) = serves(&layout.folder(node), settled).await
                && TcpStream::connect(layout.address(node)).await.is_ok()
            {
                states.insert(node, status);
                break;
            }
            sleep(POLL).await;
        }
    }
    states
}

/// Any failure means: not yet.
async fn serves(folder: &NodeFolder, settled: &Settled) -> Option<pb::StatusReply> {
    let mut client = AdminClient::connect(folder).await.ok()?;
    let status = client.status().await.ok().filter(|status| status.serving)?;
    let shares = client.shares().await.ok()?;
    let users = client.users().await.ok()?;
    let ready = shares.iter().any(|share| share.name.eq_ignore_ascii_case(&settled.share))
        && users.iter().any(|user| user.name.eq_ignore_ascii_case(&settled.user));
    ready.then_some(status)
}

fn make_up_password(random: &dyn Random) -> String {
    let mut bytes = [0; PASSWORD_LENGTH];
    random.fill(&mut bytes);
    // 32 letters: every one as likely as the others.
    bytes.iter().map(|byte| char::from(PASSWORD_LETTERS[usize::from(byte % 32)])).collect()
}
