//! What the log knows of the room on its disk.

use parking_lot::Mutex;

/// Whether there is room for the log to grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Space {
    /// Enough.
    Ample,
    /// What must be written can be, but nothing should be begun. The text is for people.
    Low(String),
    /// A write finds no room; it is tried again until it does. The text is for people.
    Full(String),
}

impl Space {
    /// What is wrong, for people; `None` while there is room.
    pub fn trouble(&self) -> Option<&str> {
        match self {
            Space::Ample => None,
            Space::Low(why) | Space::Full(why) => Some(why),
        }
    }
}

/// What is known, by who found it out.
#[derive(Default)]
struct Known {
    /// A write waits for room.
    blocked: Option<String>,
    /// The reserve is gone.
    unreserved: Option<String>,
    /// The disk said that little is left.
    scarce: Option<String>,
}

/// The log's view of its disk's room, shared by flusher and handles.
#[derive(Default)]
pub(super) struct SpaceWatch(Mutex<Known>);

impl SpaceWatch {
    pub(super) fn get(&self) -> Space {
        let known = self.0.lock();
        if let Some(why) = &known.blocked {
            return Space::Full(why.clone());
        }
        match known.unreserved.as_ref().or(known.scarce.as_ref()) {
            Some(why) => Space::Low(why.clone()),
            None => Space::Ample,
        }
    }

    pub(super) fn set_blocked(&self, why: Option<String>) {
        change(&mut self.0.lock().blocked, why, "a write of the log waits for room");
    }

    pub(super) fn set_unreserved(&self, why: Option<String>) {
        change(&mut self.0.lock().unreserved, why, "the log's reserve is gone");
    }

    /// Judges what the disk says is free. It counts as scarce below `low`, and as ample again a
    /// quarter above it.
    pub(super) fn note_free(&self, free: u64, low: u64) {
        let mut known = self.0.lock();
        let limit = if known.scarce.is_some() { low.saturating_add(low / 4) } else { low };
        let why = (free < limit).then(|| {
            format!(
                "the log's disk has {} MiB left; at least {} MiB must be free",
                free >> 20,
                limit >> 20
            )
        });
        change(&mut known.scarce, why, "the log's disk is low on space");
    }
}

/// Says it once, when it begins and when it is over.
fn change(known: &mut Option<String>, why: Option<String>, what: &str) {
    match (&known, &why) {
        (None, Some(why)) => tracing::error!(why, "{what}; new state is refused"),
        (Some(_), None) => tracing::info!("{what} no more"),
        _ => {}
    }
    *known = why;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scarcity_ends_a_quarter_above_its_begin() {
        let watch = SpaceWatch::default();
        for (free, ample) in [(100, true), (99, false), (110, false), (125, true), (110, true)] {
            watch.note_free(free, 100);
            assert_eq!(watch.get() == Space::Ample, ample, "{free}");
        }
    }

    #[test]
    fn a_write_that_waits_outweighs_the_rest() {
        let watch = SpaceWatch::default();
        watch.set_unreserved(Some("gone".to_owned()));
        assert_eq!(watch.get(), Space::Low("gone".to_owned()));
        watch.set_blocked(Some("full".to_owned()));
        assert_eq!(watch.get(), Space::Full("full".to_owned()));
        watch.set_blocked(None);
        watch.set_unreserved(None);
        assert_eq!(watch.get().trouble(), None);
    }
}
