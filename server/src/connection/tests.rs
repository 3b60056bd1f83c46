//! The bounds of one connection: what it queues, what it lets run, what it lets wait.

use super::*;
use crate::core::Protection;

fn frame(bytes: usize) -> OutboundFrame {
    let pieces = vec![Bytes::from(vec![0; bytes])];
    OutboundFrame { pieces, about: Vec::new(), written: None }
}

#[tokio::test]
async fn a_client_that_reads_nothing_loses_its_connection() {
    let connection = Connection::new(ConnectionId(1), "test".to_owned());
    let mut queued = 0;
    while connection.enqueue(frame(limits::FRAME_MAX)).is_ok() {
        queued += limits::FRAME_MAX;
        assert!(queued <= limits::OUTBOX_MAX);
    }
    assert!(connection.is_closed());
    assert_eq!(connection.enqueue(frame(1)), Err(ConnectionGone));
    assert!(connection.next_frame().await.is_none());
}

#[tokio::test]
async fn nothing_is_read_while_much_waits_to_be_written() {
    let connection = Connection::new(ConnectionId(1), "test".to_owned());
    connection.wait_room().await;
    connection.enqueue(frame(limits::OUTBOX_PAUSE + 1)).unwrap();
    let waited = tokio::time::timeout(std::time::Duration::from_millis(10), connection.wait_room());
    assert!(waited.await.is_err());
    let written = connection.next_frame().await.unwrap();
    connection.note_written(written.len());
    connection.wait_room().await;
}

#[test]
fn what_waits_behind_an_interim_response_is_bounded_by_what_it_holds() {
    let connection = Connection::new(ConnectionId(1), "test".to_owned());
    let large = Pending::new(128);
    connection.requests.lock().charges = 9 * 128;
    let mut waiting = 0;
    while connection.go_async(&large) {
        waiting += 128;
    }
    assert_eq!(waiting, limits::ASYNC_CHARGES_MAX);
    assert_eq!(connection.requests.lock().charges, 128, "it runs on as it did");
    connection.finish(&Header::request(Opcode::WRITE, 0), &large, true);
    assert!(connection.go_async(&large));
}

#[tokio::test]
async fn what_is_read_is_bounded_by_what_it_weighs() {
    let connection = Connection::new(ConnectionId(1), "test".to_owned());
    connection.core(|core| {
        core.set_authenticated();
        while core.grant(64) > 0 {}
    });
    let mut held = Vec::new();
    // CreditCharge 1 each, and eight times the bytes that it pays for.
    for id in 0..u64::from(limits::CHARGES_IN_FLIGHT_MAX / 8) {
        connection.wait_room().await;
        let header = Header::request(Opcode::NEGOTIATE, id);
        let message = Bytes::from(vec![0; 8 * limits::CREDIT_UNIT as usize]);
        let request = Inbound { header, message, protection: Protection::Clear };
        held.push((connection.begin(&request).unwrap(), request));
    }
    let waited = tokio::time::timeout(std::time::Duration::from_millis(10), connection.wait_room());
    assert!(waited.await.is_err());
    let (pending, request) = held.pop().unwrap();
    connection.finish(&request.header, &pending, false);
    connection.wait_room().await;
}

#[test]
fn few_authentications_are_under_way_at_once() {
    let connection = Connection::new(ConnectionId(1), "test".to_owned());
    for id in 0..limits::EXCHANGES_PER_CONNECTION_MAX as u64 {
        assert!(!connection.is_full_of_sessions());
        connection.park_exchange(SessionId(id), Acceptor::default());
    }
    assert!(connection.is_full_of_sessions());
}

#[tokio::test]
async fn a_notification_on_a_closed_connection_is_not_sent() {
    let connection = Connection::new(ConnectionId(1), "test".to_owned());
    let sending = connection.notify(Bytes::from_static(b"break"));
    let closing = async { connection.close("test") };
    let (sent, ()) = tokio::join!(sending, closing);
    assert_eq!(sent, Err(ConnectionGone));
    assert_eq!(connection.notify(Bytes::new()).await, Err(ConnectionGone));
}
