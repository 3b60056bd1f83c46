//! A new cluster gets its share and its user.

use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::command::{Command, ShareSettings, UserSettings};
use holdfast_cluster::handle::Cluster;
use holdfast_cluster::outcome::{Outcome, Refusal};
use holdfast_proto::auth::ntlmv2::NtHash;
use tokio::time::sleep;

use crate::clients::{PASSWORD, SHARE, USER};
use crate::world::{VOLUME, World};

/// Returns once share and user are there.
pub async fn found(world: &Arc<World>) {
    let share = Command::PutShare {
        settings: ShareSettings {
            name: SHARE.to_owned(),
            comment: String::new(),
            volume: VOLUME,
            path: String::new(),
            continuously_available: true,
            encrypt: false,
            read_only: false,
            ca_timeout_millis: world.plan.timers.persistent_millis,
        },
        replace: false,
    };
    let user = Command::PutUser {
        settings: UserSettings {
            name: USER.to_owned(),
            nt_hash: *NtHash::of_password(PASSWORD).expose(),
            disabled: false,
        },
        replace: false,
    };
    for command in [share, user] {
        loop {
            let member = world.machines.iter().find_map(|machine| machine.member());
            if let Some(member) = member {
                match member.submit(command.clone()).await {
                    Ok(Outcome::Done | Outcome::Refused(Refusal::Exists)) => break,
                    Ok(other) => panic!("share and user are refused: {other:?}"),
                    Err(_) => {}
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}
