//! A handle that was promised outlives its connection and its node for as long as was promised: it
//! is gone only if its client was away for the whole time-out.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Checker;
use crate::event::{At, ClientEvent, Event, HandleId};

/// How much faster than simulated time a node's clock may run, in thousandths; with it, how much
/// earlier than the world says a time-out may end.
const CLOCKS_FAST_BY: u32 = 10;

#[derive(Default)]
pub struct Handles {
    promised: BTreeMap<HandleId, Duration>,
}

impl Checker for Handles {
    fn name(&self) -> &'static str {
        "handles"
    }

    fn observe(&mut self, at: At, event: &Event) -> Result<(), String> {
        let Event::Client { client, event } = event else { return Ok(()) };
        match event {
            ClientEvent::Opened { handle, timeout: Some(timeout), .. } => {
                self.promised.insert(*handle, *timeout);
            }
            ClientEvent::CloseInvoked { handle } => {
                self.promised.remove(handle);
            }
            ClientEvent::Lost { handle, confirmed, answer } => {
                let Some(promised) = self.promised.remove(handle) else { return Ok(()) };
                let away = at.saturating_sub(*confirmed);
                if away < promised - promised * CLOCKS_FAST_BY / 1000 {
                    return Err(format!(
                        "{handle:?} of {client:?} is gone ({answer}) after {away:?} without its \
                         client; {promised:?} were promised"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn lost(confirmed: u64) -> Event {
        let answer = "OBJECT_NAME_NOT_FOUND".to_owned();
        client(1, ClientEvent::Lost { handle: HandleId(1), confirmed: ms(confirmed), answer })
    }

    #[test]
    fn an_early_loss_is_seen() {
        let events = [(1, opened(1, 1, 9, Some(1000))), (2000, lost(1500))];
        assert!(judge(&mut Handles::default(), &events).is_err());
        let events = [(1, opened(1, 1, 9, Some(1000))), (2600, lost(1500))];
        assert!(judge(&mut Handles::default(), &events).is_ok());
        let events = [(1, opened(1, 1, 9, None)), (1600, lost(1500))];
        assert!(judge(&mut Handles::default(), &events).is_ok(), "nothing was promised");
    }
}
