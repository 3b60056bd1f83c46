//! Once the faults are healed everything goes on: every client finishes what it set out to do. A
//! cluster that never had a leader breaks no other promise, and must not pass.

use std::collections::BTreeMap;

use super::Checker;
use crate::event::{At, ClientEvent, ClientId, Event};

#[derive(Default)]
pub struct Progress {
    ended: BTreeMap<ClientId, (bool, String)>,
    opens: u64,
    writes: u64,
}

impl Checker for Progress {
    fn name(&self) -> &'static str {
        "progress"
    }

    fn is_liveness(&self) -> bool {
        true
    }

    fn observe(&mut self, _at: At, event: &Event) -> Result<(), String> {
        let Event::Client { client, event } = event else { return Ok(()) };
        match event {
            ClientEvent::Opened { .. } => self.opens += 1,
            ClientEvent::WriteEnded { .. } => self.writes += 1,
            ClientEvent::Done { finished, why } => {
                self.ended.insert(*client, (*finished, why.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, at: At) -> Result<(), String> {
        let stuck = self.ended.iter().find(|(_, (finished, _))| !finished);
        if let Some((client, (_, why))) = stuck {
            return Err(format!("{client:?} had not finished {at:?} into the run: {why}"));
        }
        if self.ended.is_empty() || self.opens == 0 || self.writes == 0 {
            return Err(format!(
                "{} clients came to an end, with {} opens and {} writes",
                self.ended.len(),
                self.opens,
                self.writes
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn idleness_and_a_stuck_client_are_seen() {
        assert!(Progress::default().finish(ms(1)).is_err());
        let mut checker = Progress::default();
        let done = |finished| client(1, ClientEvent::Done { finished, why: "read".to_owned() });
        let events = [
            (1, opened(1, 1, 1, None)),
            (2, write_invoked(1, 1, 1)),
            (3, write_ended(1, crate::event::WriteEnd::Acknowledged)),
            (4, done(true)),
        ];
        judge(&mut checker, &events).expect("nothing wrong yet");
        assert!(checker.finish(ms(5)).is_ok());
        judge(&mut checker, &[(6, done(false))]).expect("nothing wrong yet");
        assert!(checker.finish(ms(7)).is_err());
    }
}
