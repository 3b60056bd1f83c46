//! How long clients were without service.

use std::collections::BTreeMap;
use std::time::Duration;

use super::faults::Strike;
use super::history::{At, ClientId, Event, Operation, Record};

/// What a fault cost its clients.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    /// Blackout of each client of a node that failed: from the fault, or the return of the quorum,
    /// to its first answered operation; for orderly ends its longest operation.
    pub affected: Vec<Duration>,
    /// The longest operation of each other client.
    pub others: Vec<Duration>,
    /// What `others` is to be compared with: the same before the fault; empty where it is not.
    pub baseline: Vec<Duration>,
    /// Clients that have not come back.
    pub missing: Vec<ClientId>,
}

/// Looks at the records of the clients until `until`.
pub fn measure(
    records: &[Record],
    whereabouts: &BTreeMap<ClientId, u64>,
    clients: u64,
    strike: &Strike,
    until: At,
) -> Measured {
    let mut measured = Measured::default();
    for client in (0..clients).map(ClientId) {
        let answers = || {
            records
                .iter()
                .filter(move |record| record.client == client && record.at <= until)
                .filter_map(|record| match record.event {
                    Event::Answered { operation, invoked, sent, .. }
                        if operation != Operation::Reclaim =>
                    {
                        Some((record.at, invoked, sent))
                    }
                    _ => None,
                })
        };
        let longest = answers()
            .filter(|(at, ..)| *at >= strike.at)
            .map(|(at, invoked, _)| at - invoked)
            .max();
        let affected = whereabouts.get(&client).is_some_and(|node| strike.victims.contains(node));
        let first = answers().find(|(_, _, sent)| *sent >= strike.after).map(|(at, ..)| at);
        match (affected, strike.orderly) {
            (false, _) => measured.others.extend(longest),
            (true, true) => measured.affected.extend(longest),
            (true, false) => {
                let blackout = first.map(|at| at.saturating_sub(strike.counted_from));
                measured.affected.extend(blackout);
            }
        }
        if first.is_none() {
            measured.missing.push(client);
        }
    }
    measured
}

/// The value that so many of a hundred do not exceed; none of none.
pub fn percentile(values: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::super::history::HandleId;
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn answered(client: u64, invoked: u64, sent: u64, at: u64) -> Record {
        let (handle, operation) = (HandleId(1), Operation::Write);
        let (invoked, sent) = (ms(invoked), ms(sent));
        let event = Event::Answered { handle, operation, invoked, sent };
        Record { at: ms(at), client: ClientId(client), event }
    }

    #[test]
    fn what_was_sent_before_the_fault_does_not_end_a_blackout() {
        let records = [answered(0, 8, 8, 11), answered(0, 12, 40, 60), answered(1, 9, 9, 30)];
        let whereabouts = [(ClientId(0), 1), (ClientId(1), 2)].into();
        let strike = Strike {
            victims: vec![1],
            at: ms(10),
            after: ms(12),
            counted_from: ms(10),
            ..Strike::default()
        };
        let measured = measure(&records, &whereabouts, 2, &strike, ms(1_000));
        assert_eq!((measured.affected, measured.others), (vec![ms(50)], vec![ms(21)]));
        assert_eq!(measured.missing, [ClientId(1)], "nothing that it sent later was answered");
    }

    #[test]
    fn percentiles_are_of_the_values_themselves() {
        let values: Vec<Duration> = (1..=200).map(ms).collect();
        assert_eq!(percentile(&values, 50), Some(ms(100)));
        assert_eq!(percentile(&values, 99), Some(ms(198)));
        assert_eq!(percentile(&values, 100), Some(ms(200)));
        assert_eq!(percentile(&values[..1], 99), Some(ms(1)));
        assert_eq!(percentile(&[], 99), None);
    }
}
