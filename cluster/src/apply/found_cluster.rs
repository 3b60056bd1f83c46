//! The first entry of a cluster: its identity.

use holdfast_proto::types::Guid;

use super::*;
use crate::command::Timers;
use crate::state::{ClusterInfo, limits};

fn as_founded(cluster: &ClusterInfo) -> ClusterInfo {
    ClusterInfo { encrypt_data: false, unfit_volumes: Vec::new(), ..cluster.clone() }
}

impl Step<'_> {
    pub(super) fn found_cluster(
        &mut self,
        cluster_id: Guid,
        server_guid: Guid,
        name: &str,
        timers: Timers,
    ) -> Verdict {
        if name.len() > limits::TEXT_BYTES {
            return Err(Refusal::InvalidParameter);
        }
        let info = ClusterInfo {
            cluster_id,
            server_guid,
            name: name.to_owned(),
            timers,
            encrypt_data: false,
            unfit_volumes: Vec::new(),
        };
        match &self.state.cluster {
            // Settings that were changed since do not make it another cluster.
            Some(cluster) if as_founded(cluster) == info => Ok(Outcome::Done),
            Some(_) => Err(Refusal::Exists),
            None => {
                self.state.cluster = Some(info);
                Ok(Outcome::Done)
            }
        }
    }
}
