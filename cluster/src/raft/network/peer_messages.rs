//! The nodes' questions to each other as protobuf.

use bytes::Bytes;
use holdfast_proto::types::{FileKey, Guid, OpenId, SessionId, VolumeId};

use super::pb;
use super::raft_messages::BadMessage;
use crate::command::OpenRef;
use crate::peer::{EXAMINE_BYTES_MAX, PeerReply, PeerRequest};

/// A question, as asked by this incarnation.
pub fn question_to(from_incarnation: u64, request: &PeerRequest) -> pb::Ask {
    use pb::ask::Question;
    let question = match request {
        PeerRequest::Barrier { file, index } => Question::Barrier(pb::Barrier {
            file: Some(pb::FileKey {
                volume: file.volume.0,
                file_high: (file.file >> 64) as u64,
                file_low: file.file as u64,
            }),
            index: *index,
        }),
        PeerRequest::Release { open, session } => Question::Release(pb::Release {
            open: open.open.0,
            generation: open.generation,
            session: session.0,
        }),
        PeerRequest::EndSession { session } => {
            Question::EndSession(pb::EndSession { session: session.0 })
        }
        PeerRequest::BreakTold { client_guid, key, epoch, index } => {
            Question::BreakTold(pb::BreakTold {
                client_guid: client_guid.0.to_vec().into(),
                key: key.0.to_vec().into(),
                epoch: u32::from(*epoch),
                index: *index,
            })
        }
        PeerRequest::Withdraw => Question::Withdraw(pb::Withdraw {}),
        PeerRequest::ServeAgain => Question::ServeAgain(pb::ServeAgain {}),
        PeerRequest::Examine(question) => Question::Examine(question.clone()),
    };
    pb::Ask { from_incarnation, question: Some(question) }
}

/// The question that a frame holds.
///
/// # Errors
/// It is none that this version knows, or a field has the wrong size.
pub fn question_from(ask: pb::Ask) -> Result<PeerRequest, BadMessage> {
    use pb::ask::Question;
    Ok(match ask.question.ok_or(BadMessage("question is missing"))? {
        Question::Barrier(barrier) => {
            let file = barrier.file.ok_or(BadMessage("barrier without a file"))?;
            PeerRequest::Barrier {
                file: FileKey {
                    volume: VolumeId(file.volume),
                    file: u128::from(file.file_high) << 64 | u128::from(file.file_low),
                },
                index: barrier.index,
            }
        }
        Question::Release(release) => PeerRequest::Release {
            open: OpenRef { open: OpenId(release.open), generation: release.generation },
            session: SessionId(release.session),
        },
        Question::EndSession(end) => PeerRequest::EndSession { session: SessionId(end.session) },
        Question::BreakTold(told) => PeerRequest::BreakTold {
            client_guid: guid(&told.client_guid)?,
            key: guid(&told.key)?,
            epoch: told.epoch.try_into().map_err(|_| BadMessage("epoch"))?,
            index: told.index,
        },
        Question::Withdraw(_) => PeerRequest::Withdraw,
        Question::ServeAgain(_) => PeerRequest::ServeAgain,
        Question::Examine(question) if question.len() > EXAMINE_BYTES_MAX => {
            return Err(BadMessage("examination"));
        }
        Question::Examine(question) => PeerRequest::Examine(question),
    })
}

fn guid(bytes: &[u8]) -> Result<Guid, BadMessage> {
    bytes.try_into().map(Guid).map_err(|_| BadMessage("GUID"))
}

/// An answer as a frame's part.
pub fn reply_to(reply: PeerReply) -> pb::Answer {
    use pb::answer::Reply;
    let (reply, examined) = match reply {
        PeerReply::Done => (Reply::Done, Bytes::new()),
        PeerReply::ConnectionAlive => (Reply::ConnectionAlive, Bytes::new()),
        PeerReply::NotNow => (Reply::NotNow, Bytes::new()),
        PeerReply::Examined(answer) => (Reply::Examined, answer),
    };
    pb::Answer { reply: reply.into(), examined }
}

/// The answer that a frame holds. One that this version does not know promises nothing.
pub fn reply_from(answer: pb::Answer) -> PeerReply {
    use pb::answer::Reply;
    match answer.reply() {
        Reply::Done => PeerReply::Done,
        Reply::ConnectionAlive => PeerReply::ConnectionAlive,
        Reply::NotNow => PeerReply::NotNow,
        Reply::Examined => PeerReply::Examined(answer.examined),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers_come_back() {
        let questions = [
            PeerRequest::Barrier {
                file: FileKey { volume: VolumeId(3), file: u128::MAX - 5 },
                index: 9,
            },
            PeerRequest::Release {
                open: OpenRef { open: OpenId(4), generation: 11 },
                session: SessionId(1 << 40),
            },
            PeerRequest::EndSession { session: SessionId(7) },
            PeerRequest::BreakTold {
                client_guid: Guid([1; 16]),
                key: Guid([2; 16]),
                epoch: 65535,
                index: 3,
            },
            PeerRequest::Withdraw,
            PeerRequest::ServeAgain,
            PeerRequest::Examine(Bytes::from_static(b"a step")),
        ];
        for question in questions {
            assert_eq!(question_from(question_to(5, &question)), Ok(question));
        }
        let examined = PeerReply::Examined(Bytes::from_static(b"what was seen"));
        for reply in [PeerReply::Done, PeerReply::ConnectionAlive, PeerReply::NotNow, examined] {
            assert_eq!(reply_from(reply_to(reply.clone())), reply);
        }
        let long = PeerRequest::Examine(vec![0; EXAMINE_BYTES_MAX + 1].into());
        assert!(question_from(question_to(5, &long)).is_err());
    }
}
