//! Keeps whether a volume can hold shares that are continuously available. What is open stays open:
//! from here on nothing new is promised there.

use holdfast_proto::types::VolumeId;

use super::*;
use crate::state::{UnfitVolume, limits};

impl Step<'_> {
    pub(super) fn judge_volume(&mut self, volume: VolumeId, unfit: Option<&str>) -> Verdict {
        if unfit.is_some_and(|why| why.len() > limits::TEXT_BYTES) {
            return Err(Refusal::InvalidParameter);
        }
        let cluster = self.state.cluster.as_mut().ok_or(Refusal::NotFound)?;
        let volumes = &mut cluster.unfit_volumes;
        match (volumes.binary_search_by_key(&volume, |known| known.volume), unfit) {
            (Ok(at), Some(why)) => why.clone_into(&mut volumes[at].why),
            (Ok(at), None) => drop(volumes.remove(at)),
            (Err(_), Some(_)) if volumes.len() >= limits::UNFIT_VOLUMES => {
                return Err(Refusal::InsufficientResources);
            }
            (Err(at), Some(why)) => volumes.insert(at, UnfitVolume { volume, why: why.to_owned() }),
            (Err(_), None) => {}
        }
        Ok(Outcome::Done)
    }
}
