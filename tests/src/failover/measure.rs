//! How long clients were without service.

use std::collections::BTreeMap;
use std::time::Duration;

use super::faults::Strike;
use super::history::{At, ClientId, Event, Operation, Record};

/// What a fault cost its clients.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    /// Blackout of each client of a node that failed: from the fault, the return of the quorum, or its
    /// first attempt elsewhere, to its first answered operation; or its longest operation.
    pub affected: Vec<Duration>,
    /// The longest operation of each other client.
    pub others: Vec<Duration>,
    /// What `others` is to be compared with: the same before the fault; empty where it is not.
    pub baseline: Vec<Duration>,
    /// How long it took clients that nobody told of the loss to try elsewhere.
    pub noticed: Vec<Duration>,
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
        let counted_from = match strike.from_first_attempt {
            true => first_attempt(records, client, strike),
            false => Some(strike.counted_from),
        };
        match (affected, strike.longest) {
            (false, _) => measured.others.extend(longest),
            (true, true) => measured.affected.extend(longest),
            (true, false) => {
                if strike.from_first_attempt {
                    measured.noticed.extend(counted_from.map(|at| at.saturating_sub(strike.at)));
                }
                let blackout = first.zip(counted_from).map(|(at, from)| at.saturating_sub(from));
                measured.affected.extend(blackout);
            }
        }
        let back_from = strike.after.max(strike.over);
        if !answers().any(|(_, _, sent)| sent >= back_from) {
            measured.missing.push(client);
        }
    }
    measured
}

/// When a client first asked a node that had not failed; none if it stayed where it was.
fn first_attempt(records: &[Record], client: ClientId, strike: &Strike) -> Option<At> {
    let mut its = records.iter().filter(|record| record.client == client && record.at >= strike.at);
    its.find_map(|record| match &record.event {
        Event::Connecting { node } if !strike.victims.contains(node) => Some(record.at),
        _ => None,
    })
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
    fn who_must_notice_by_itself_is_counted_from_its_first_attempt_elsewhere() {
        let connecting = |client: u64, node, at| {
            let event = Event::Connecting { node };
            Record { at: ms(at), client: ClientId(client), event }
        };
        let records = [
            connecting(0, 1, 1_010),
            connecting(0, 2, 1_020),
            answered(0, 12, 1_040, 1_060),
            answered(1, 12, 900, 910),
        ];
        let whereabouts = [(ClientId(0), 1), (ClientId(1), 1)].into();
        let strike = Strike {
            victims: vec![1],
            at: ms(10),
            after: ms(12),
            from_first_attempt: true,
            ..Strike::default()
        };
        let measured = measure(&records, &whereabouts, 2, &strike, ms(2_000));
        assert_eq!(measured.affected, [ms(40)], "the second one stayed where it was");
        assert_eq!(measured.noticed, [ms(1_010)]);
        assert!(measured.missing.is_empty());
        let longest = Strike { longest: true, over: ms(1_000), ..strike };
        let measured = measure(&records, &whereabouts, 2, &longest, ms(2_000));
        assert_eq!(measured.affected, [ms(1_048), ms(898)]);
        assert_eq!(measured.missing, [ClientId(1)], "it has not been heard of since");
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
