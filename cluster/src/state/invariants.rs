//! What must hold between the tables after every entry. Called by tests and by the simulator.

use holdfast_proto::types::LeaseState;

use super::*;

impl State {
    /// The first invariant that does not hold.
    pub fn check(&self) -> Result<(), String> {
        self.check_tables()?;
        match self.overlooked() {
            Some(wait) => Err(format!("it waits although it could be decided: {wait}")),
            None => Ok(()),
        }
    }

    /// The invariants between the tables: what a snapshot must satisfy.
    pub(crate) fn check_tables(&self) -> Result<(), String> {
        let rebuilt = Indexes::rebuild(self);
        if rebuilt != self.indexes {
            return Err(self.first_difference(&rebuilt));
        }
        for (key, file) in self.files() {
            self.check_file(key, file).map_err(|error| format!("{key}: {error}"))?;
        }
        self.check_names()?;
        self.check_owners()?;
        self.check_waits()?;
        for (life, _) in &self.windows {
            if !self.is_current(*life) {
                return Err(format!("{life:?} has ended and has a window"));
            }
        }
        for (id, session) in self.sessions() {
            if !self.is_current(session.life) {
                return Err(format!("{id} is served by a life that ended"));
            }
        }
        Ok(())
    }

    fn first_difference(&self, rebuilt: &Indexes) -> String {
        macro_rules! compare {
            ($($index:ident),*) => {
                $(if self.indexes.$index != rebuilt.$index {
                    return format!(
                        "index {}: {:?}, and by the tables {:?}",
                        stringify!($index),
                        self.indexes.$index,
                        rebuilt.$index
                    );
                })*
            };
        }
        compare!(
            opens,
            session_opens,
            node_opens,
            create_guids,
            beneath,
            leases,
            notifications,
            client_sessions,
            node_sessions,
            names,
            waits,
            deadlines,
            shares,
            doomed
        );
        "an index differs from what the tables say".to_owned()
    }

    fn check_file(&self, key: FileKey, file: &FileState) -> Result<(), String> {
        if file.is_idle() {
            return Err("nothing is left to say about it".to_owned());
        }
        for open in file.opens() {
            self.check_open(file, open).map_err(|error| format!("{}: {error}", open.id))?;
        }
        for (id, lease) in file.leases() {
            if file.lease_opens(id).next().is_none() {
                return Err(format!("{id:?} has no open"));
            }
            let others = || file.leases().filter(|(other, _)| *other != id);
            if lease.state.contains(LeaseState::WRITE)
                && others().any(|(_, other)| !other.state.is_empty())
            {
                return Err(format!("{id:?} caches writes and is not alone"));
            }
            if lease.breaking.is_some_and(|breaking| !lease.state.contains(breaking.to())) {
                return Err(format!("{id:?} is breaking to more than it is"));
            }
        }
        self.check_locks(file)?;
        let duty = file.duty.map(|id| self.duty(id).map(DutyRecord::file));
        if duty.is_some_and(|duty| duty != Some(key)) {
            return Err("its duty is not there".to_owned());
        }
        let intent = file.overwriting.map(|id| self.intent(id).and_then(|intent| intent.target));
        if intent.is_some_and(|target| target != Some(key)) {
            return Err("the intent that overwrites it is not there".to_owned());
        }
        Ok(())
    }

    fn check_open(&self, file: &FileState, open: &Open) -> Result<(), String> {
        if open.id.0 >= limits::OPEN_ID_END || open.id.0 > self.counters.open {
            return Err("its id was never given out".to_owned());
        }
        if let Some((life, session)) = open.bound_to() {
            let serves = self.session(session).is_some_and(|session| {
                session.life == life && session.client_guid == open.client_guid
            });
            if !serves || !self.is_current(life) {
                return Err(format!(
                    "it is bound to {session} on {life:?}, which does not serve it"
                ));
            }
        } else if open.timeout_millis().is_none() {
            return Err("it waits for a client to which nothing was promised".to_owned());
        }
        if open.lease_id().is_some_and(|id| file.lease(id).is_none()) {
            return Err("its lease is not there".to_owned());
        }
        Ok(())
    }

    fn check_locks(&self, file: &FileState) -> Result<(), String> {
        for (at, lock) in file.locks().iter().enumerate() {
            if file.open(lock.open).is_none() {
                return Err(format!("{lock:?} belongs to no open"));
            }
            if let Some(other) = file.locks()[..at].iter().find(|other| other.excludes(lock)) {
                return Err(format!("{lock:?} and {other:?} exclude each other"));
            }
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), String> {
        let mut held = std::collections::BTreeMap::new();
        let intents = self
            .intents()
            .map(|(id, intent)| (NameHolder::Intent(id), vec![NameKey::of(&intent.place)]));
        let duties = self.duties().map(|record| {
            let names = record.places().into_iter().map(NameKey::of).collect();
            (NameHolder::Duty(record.duty.id), names)
        });
        for (holder, names) in intents.chain(duties) {
            for name in names {
                if let Some(other) = held.insert(name.clone(), holder)
                    && other != holder
                {
                    return Err(format!("{name:?} is held by {holder:?} and {other:?}"));
                }
            }
        }
        Ok(())
    }

    fn check_owners(&self) -> Result<(), String> {
        let alone = self.nodes().all(|(_, record)| record.has_ended());
        let intents = self.intents().map(|(_, intent)| intent.owner);
        let duties = self.duties().map(|record| record.owner);
        match intents.chain(duties).find(|owner| !alone && !self.is_current(*owner)) {
            Some(owner) => Err(format!("{owner:?} has ended and has to carry something out")),
            None => Ok(()),
        }
    }

    fn check_waits(&self) -> Result<(), String> {
        for (number, wait) in self.waits() {
            let linked = match &wait.on {
                WaitOn::File(file) => {
                    self.file(*file).is_some_and(|file| file.waiters.contains(&number))
                }
                WaitOn::Name(name) => {
                    self.reservation(name).is_some_and(|name| name.waiters.contains(&number))
                }
                WaitOn::Intent(intent) => {
                    self.intent(*intent).is_some_and(|intent| intent.waiters.contains(&number))
                }
            };
            if !linked {
                return Err(format!("{number:?} waits for {:?}, which does not know it", wait.on));
            }
            let life = NodeLife { node: wait.submit.node, incarnation: wait.submit.incarnation };
            if !self.is_current(life) {
                return Err(format!("{number:?} waits for a life that ended"));
            }
        }
        Ok(())
    }
}
