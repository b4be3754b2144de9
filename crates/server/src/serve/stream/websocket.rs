//! Messages in WebSocket messages (RFC 7118): one in each.

use super::{Carrier, WRITE_TIMEOUT};
use bytes::Bytes;
use dialplan::StreamLimits;
use futures_util::{SinkExt, StreamExt};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

const PROTOCOL_FIELD: &str = "Sec-WebSocket-Protocol";
/// What both ends must name (section 4.1).
const PROTOCOL: &str = "sip";

/// Takes the upgrade of a client that speaks SIP; any other is refused with 400.
pub(super) async fn accept<S>(stream: S, limits: StreamLimits) -> io::Result<WebSocketStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let largest = Some(limits.largest as usize);
    let config = WebSocketConfig::default().max_message_size(largest).max_frame_size(largest);
    tokio_tungstenite::accept_hdr_async_with_config(stream, agree, Some(config))
        .await
        .map_err(io::Error::other)
}

#[expect(clippy::result_large_err, reason = "the library's callback has this type")]
fn agree(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get_all(PROTOCOL_FIELD);
    let offered = offered.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    if offered.map(str::trim).any(|protocol| protocol.eq_ignore_ascii_case(PROTOCOL)) {
        response.headers_mut().insert(PROTOCOL_FIELD, HeaderValue::from_static(PROTOCOL));
        return Ok(response);
    }
    let mut refused =
        ErrorResponse::new(Some("this is SIP: ask for the WebSocket protocol `sip`\n".to_owned()));
    *refused.status_mut() = StatusCode::BAD_REQUEST;
    Err(refused)
}

/// Carries messages both ways until either end closes, errs or is too slow.
pub(super) async fn carry<S>(mut socket: WebSocketStream<S>, mut carrier: Carrier)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let ended = loop {
        let step = tokio::select! {
            came = timeout_at(carrier.patience.until, socket.next()) => match came {
                Ok(Some(Ok(message))) => receive(message, &mut socket, &mut carrier).await,
                Ok(Some(Err(error))) => Err(io::Error::other(error)),
                Ok(None) => break Ok(()),
                Err(error) => Err(error.into()),
            },
            queued = carrier.queued.recv() => match queued {
                Some(bytes) => send(&mut socket, bytes).await,
                // The signalling thread has given the connection up.
                None => break Ok(()),
            },
        };
        if let Err(error) = step {
            break Err(error);
        }
    };
    if let Err(error) = ended {
        tracing::debug!("connection of {} closed: {error}", carrier.flow.peer);
    }
    // The peer may be gone already; that the connection is over is all that matters.
    let _ = timeout(WRITE_TIMEOUT, socket.close(None)).await;
    carrier.closed().await;
}

async fn receive<S>(
    message: Message,
    socket: &mut WebSocketStream<S>,
    carrier: &mut Carrier,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let bytes = match message {
        Message::Text(text) => Bytes::from(text),
        Message::Binary(bytes) => bytes,
        // The library answers a ping with the next thing that is sent.
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
            carrier.patience.wait_for_more(Instant::now());
            return timeout(WRITE_TIMEOUT, socket.flush()).await?.map_err(io::Error::other);
        }
        Message::Close(_) => return Err(io::Error::other(Error::ConnectionClosed)),
    };
    match bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
        // A sign of life, as RFC 5626 has it in streams.
        true => carrier.pong(),
        false => carrier.received(bytes).await?,
    }
    carrier.patience.wait_for_more(Instant::now());
    Ok(())
}

async fn send<S>(socket: &mut WebSocketStream<S>, bytes: Bytes) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Section 5.2: text where it is UTF-8.
    let message = match std::str::from_utf8(&bytes) {
        Ok(text) => Message::text(text),
        Err(_) => Message::binary(bytes),
    };
    timeout(WRITE_TIMEOUT, socket.send(message)).await?.map_err(io::Error::other)
}
