//! Events for tests of checkers.

use std::time::Duration;

use holdfast_cluster::command::NodeLife;
use holdfast_proto::types::{FileKey, Incarnation, NodeId, OpenId, VolumeId};

use super::Checker;
use crate::event::{
    At, Block, By, ClientEvent, ClientId, Event, HandleId, OpNumber, Stamp, StorageOp, WriteEnd,
};

pub fn ms(millis: u64) -> At {
    Duration::from_millis(millis)
}

pub fn life(node: u64, incarnation: u64) -> NodeLife {
    NodeLife { node: NodeId(node), incarnation: Incarnation(incarnation) }
}

pub fn by(node: u64, incarnation: u64, open: u64, generation: u64) -> By {
    By { life: life(node, incarnation), open: Some((OpenId(open), generation)) }
}

pub fn file(number: u128) -> FileKey {
    FileKey { volume: VolumeId(1), file: number }
}

pub fn block(index: u32) -> Block {
    Block { file: "f".to_owned(), index }
}

pub fn client(number: u8, event: ClientEvent) -> Event {
    Event::Client { client: ClientId(number), event }
}

pub fn write_op(offset: u64) -> StorageOp {
    StorageOp::Write { file: file(1), offset, length: 512 }
}

pub fn write_invoked(op: u64, handle: u64, stamp: u64) -> Event {
    client(
        1,
        ClientEvent::WriteInvoked {
            op: OpNumber(op),
            handle: HandleId(handle),
            block: block(0),
            stamp: Stamp(stamp),
        },
    )
}

pub fn write_ended(op: u64, end: WriteEnd) -> Event {
    client(1, ClientEvent::WriteEnded { op: OpNumber(op), end })
}

pub fn read(handle: u64, stamp: u64, invoked: u64) -> Event {
    client(
        2,
        ClientEvent::ReadReturned {
            handle: HandleId(handle),
            block: block(0),
            stamp: Stamp(stamp),
            invoked: ms(invoked),
            cached: false,
        },
    )
}

pub fn opened(number: u8, handle: u64, open: u64, timeout: Option<u64>) -> Event {
    client(
        number,
        ClientEvent::Opened {
            handle: HandleId(handle),
            open: OpenId(open),
            file: "f".to_owned(),
            timeout: timeout.map(ms),
        },
    )
}

/// Shows events at their times; the verdict about the last one.
pub fn judge(checker: &mut dyn Checker, events: &[(u64, Event)]) -> Result<(), String> {
    let (last, before) = events.split_last().expect("at least one event");
    for (at, event) in before {
        checker.observe(ms(*at), event).expect("what comes before is in order");
    }
    checker.observe(ms(last.0), &last.1)
}
