//! What the server sends: answers find their requests, once their signatures are checked; lease
//! breaks are acted on in the order in which they came.

use bytes::Bytes;
use holdfast_proto::crypto::Sender;
use holdfast_proto::frame::compound;
use holdfast_proto::header::{Header, HeaderFlags, UNSOLICITED};
use holdfast_proto::msg::Response;
use holdfast_proto::msg::oplock_break::{
    LeaseBreak, LeaseBreakFlags, LeaseBreakNotification, OplockBreakAcknowledgment,
    OplockBreakResponse,
};
use holdfast_proto::{NtStatus, Opcode};
use tokio::sync::mpsc;

use super::connection::{Answer, Inner, Waiting};
use super::envelope::encode;

impl Inner {
    /// Takes one frame.
    pub(super) fn take(&self, frame: &Bytes) {
        let parts = match compound::split(frame, 8) {
            Ok(parts) => parts,
            Err(error) => return self.bad(format!("a frame that is no messages: {error}")),
        };
        for part in parts {
            if part.header.message_id == UNSOLICITED {
                self.take_break(&part.header, &part.message);
            } else {
                self.take_answer(part.header, part.message);
            }
        }
    }

    fn take_answer(&self, header: Header, message: Bytes) {
        let interim = header.status == NtStatus::PENDING;
        let mut state = self.state.lock();
        state.credits += u32::from(header.credits);
        let signing = state.signing.clone();
        // Who gave up waiting may still be answered: that is no fault of the server's.
        let command = state.waiting.get(&header.message_id).map(|waiting| waiting.command);
        let answers = match interim {
            true => state.waiting.get(&header.message_id).map(|waiting| waiting.answers.clone()),
            false => state.waiting.remove(&header.message_id).map(|waiting| waiting.answers),
        };
        drop(state);
        if !header.is_response() || command.is_some_and(|command| command != header.command) {
            return self.bad(format!("{header:?} answers another request"));
        }
        if let Some(signing) = signing
            && !interim
            && !(header.flags.contains(HeaderFlags::SIGNED)
                && signing.verify_message(Sender::Server, &message))
        {
            // Without the session there is no key: the answer says only that.
            if header.status != NtStatus::USER_SESSION_DELETED {
                self.bad(format!("{header:?} is not signed, or wrongly"));
            }
            return self.close();
        }
        // A lease is known before anything that comes after its answer: breaks may follow at once.
        if header.command == Opcode::CREATE
            && header.status.is_success()
            && let Ok(Response::Create(create)) = Response::decode(&header, &message)
            && let Some(lease) = create.contexts.lease
        {
            self.leases.lock().granted(&lease);
        }
        if let Some(answers) = answers {
            // Whoever asked may have gone.
            let _ = answers.send(Answer { header, message });
        }
    }

    fn take_break(&self, header: &Header, message: &Bytes) {
        match Response::decode(header, message) {
            Ok(Response::OplockBreak(OplockBreakResponse::LeaseNotification(notification))) => {
                self.lease_break(&notification);
            }
            other => self.bad(format!("unasked for: {other:?}")),
        }
    }

    /// [MS-SMB2] 3.2.5.19.2.
    fn lease_break(&self, notification: &LeaseBreakNotification) {
        let Some(lease_state) = self.leases.lock().broken(notification) else { return };
        if !notification.flags.contains(LeaseBreakFlags::ACK_REQUIRED) {
            return;
        }
        let lease_key = notification.lease_key;
        let acknowledgement =
            OplockBreakAcknowledgment::Lease(LeaseBreak { flags: 0, lease_key, lease_state });
        let mut state = self.state.lock();
        let id = state.next_id;
        // Beyond the credits only by the answers that are under way.
        state.credits = state.credits.saturating_sub(1);
        state.next_id += 1;
        let (answers, _) = mpsc::unbounded_channel();
        state.waiting.insert(id, Waiting { command: Opcode::OPLOCK_BREAK, answers });
        let envelope = state.acknowledging;
        let message = encode(&acknowledgement.into(), id, envelope, state.signing.as_deref());
        self.frame(&message);
    }
}
