//! Raft's queues and one-shot answers: tokio's, which keep their order in both worlds.

use openraft::OptionalSend;
use openraft::async_runtime::{
    Mpsc, MpscReceiver, MpscSender, MpscWeakSender, Oneshot, OneshotSender, SendError, TryRecvError,
};
use tokio::sync::{mpsc, oneshot};

/// Bounded queues.
pub struct TokioMpsc;

/// The sending end of a bounded queue.
pub struct Sender<T>(mpsc::Sender<T>);
/// The receiving end of a bounded queue.
pub struct Receiver<T>(mpsc::Receiver<T>);
/// A sending end that does not keep the queue open.
pub struct WeakSender<T>(mpsc::WeakSender<T>);

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Mpsc for TokioMpsc {
    type Sender<T: OptionalSend> = Sender<T>;
    type Receiver<T: OptionalSend> = Receiver<T>;
    type WeakSender<T: OptionalSend> = WeakSender<T>;

    fn channel<T: OptionalSend>(buffer: usize) -> (Sender<T>, Receiver<T>) {
        let (tx, rx) = mpsc::channel(buffer);
        (Sender(tx), Receiver(rx))
    }
}

impl<T: OptionalSend> MpscSender<TokioMpsc, T> for Sender<T> {
    async fn send(&self, msg: T) -> Result<(), SendErrorOf<T>> {
        self.0.send(msg).await.map_err(|e| openraft::async_runtime::mpsc::SendError(e.0))
    }

    fn downgrade(&self) -> WeakSender<T> {
        WeakSender(self.0.downgrade())
    }
}

/// The message comes back when nobody receives any more.
type SendErrorOf<T> = SendError<T>;

impl<T: OptionalSend> MpscReceiver<T> for Receiver<T> {
    async fn recv(&mut self) -> Option<T> {
        self.0.recv().await
    }

    fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.0.try_recv().map_err(|e| match e {
            mpsc::error::TryRecvError::Empty => TryRecvError::Empty,
            mpsc::error::TryRecvError::Disconnected => TryRecvError::Disconnected,
        })
    }
}

impl<T: OptionalSend> MpscWeakSender<TokioMpsc, T> for WeakSender<T> {
    fn upgrade(&self) -> Option<Sender<T>> {
        self.0.upgrade().map(Sender)
    }
}

/// One-shot answers.
pub struct TokioOneshot;

/// The answering end.
pub struct AnswerSender<T>(oneshot::Sender<T>);

impl Oneshot for TokioOneshot {
    type Sender<T: OptionalSend> = AnswerSender<T>;
    type Receiver<T: OptionalSend> = oneshot::Receiver<T>;
    type ReceiverError = oneshot::error::RecvError;

    fn channel<T: OptionalSend>() -> (AnswerSender<T>, oneshot::Receiver<T>) {
        let (tx, rx) = oneshot::channel();
        (AnswerSender(tx), rx)
    }
}

impl<T: OptionalSend> OneshotSender<T> for AnswerSender<T> {
    fn send(self, t: T) -> Result<(), T> {
        self.0.send(t)
    }
}
