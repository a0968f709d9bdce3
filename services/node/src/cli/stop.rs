//! When a command that runs until it is told otherwise has to end.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::error::NodeError;

/// What tells.
pub(super) struct Told {
    terminate: Signal,
    interrupt: Signal,
    left_alone: Option<oneshot::Receiver<()>>,
}

/// Listens to the operating system from now on, and where asked for to the end of standard input: a program that
/// starts nodes and is killed leaves none behind.
pub(super) fn told(until_stdin_closes: bool) -> Result<Told, NodeError> {
    let listen = |kind| signal(kind).map_err(|error| NodeError::Task(error.to_string()));
    let (terminate, interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(Told { terminate, interrupt, left_alone: until_stdin_closes.then(stdin_closed) })
}

impl Told {
    /// Comes when it is time to end.
    pub(super) async fn stop(&mut self) {
        let left_alone = async {
            match &mut self.left_alone {
                // A sender that is gone without a word is the end of the pipe, too.
                Some(closed) => drop(closed.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = left_alone => {}
        }
    }
}

/// A thread of its own: the runtime would wait for a read that blocks before it ends.
fn stdin_closed() -> oneshot::Receiver<()> {
    let (closed, end) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = closed.send(());
    });
    end
}
