//! Messages in a stream of bytes: TCP and TLS.

use super::{Carrier, WRITE_TIMEOUT};
use bytes::Bytes;
use sip::{Frame, Framer};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// Carries messages both ways until either end closes, errs or is too slow.
pub(super) async fn carry(
    (read, write): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    mut carrier: Carrier,
) {
    let (_, none) = mpsc::channel(1);
    let queued = std::mem::replace(&mut carrier.queued, none);
    let ended = tokio::select! {
        ended = receive(read, &mut carrier) => ended,
        ended = transmit(write, queued) => ended,
    };
    if let Err(error) = ended {
        tracing::debug!("connection of {} closed: {error}", carrier.flow.peer);
    }
    carrier.closed().await;
}

async fn receive(mut read: impl AsyncRead + Unpin, carrier: &mut Carrier) -> io::Result<()> {
    let mut framer = Framer::new(carrier.patience.limits.largest as usize);
    let mut buffer = vec![0; 16 << 10];
    loop {
        let length = timeout_at(carrier.patience.until, read.read(&mut buffer)).await??;
        if length == 0 {
            return Ok(());
        }
        let was_idle = framer.is_empty();
        framer.feed(&buffer[..length]);
        let mut whole = false;
        while let Some(frame) = framer.next().map_err(io::Error::other)? {
            whole = true;
            match frame {
                Frame::Message(bytes) => carrier.received(bytes).await?,
                Frame::KeepAlive => carrier.pong(),
            }
        }
        if framer.is_empty() {
            carrier.patience.wait_for_more(Instant::now());
        } else if was_idle || whole {
            carrier.patience.wait_for_rest(Instant::now());
        }
    }
}

/// Ends when the signalling thread drops the connection's queue.
async fn transmit(mut write: impl AsyncWrite + Unpin, mut queued: mpsc::Receiver<Bytes>) -> io::Result<()> {
    while let Some(bytes) = queued.recv().await {
        let whole = async {
            write.write_all(&bytes).await?;
            // TLS keeps what it has not been told to send.
            write.flush().await
        };
        timeout(WRITE_TIMEOUT, whole).await??;
    }
    write.shutdown().await
}
