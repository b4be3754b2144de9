//! Messages on their way out, and the ladder's view of both directions.

use crate::endpoint::{InviteId, Output, Wire};
use crate::{Flow, Message};
use bytes::Bytes;

/// A message that was built, with what is needed to send it once more.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    /// The way.
    pub(crate) flow: Flow,
    /// The message.
    pub(crate) bytes: Bytes,
    /// Its CSeq number.
    pub(crate) cseq: u32,
    /// Whether it carries a session description.
    pub(crate) sdp: bool,
}

impl Outgoing {
    /// The same by another way, whose Via is given.
    pub(crate) fn by(&self, flow: Flow, via: &str) -> Self {
        // We have built it: Via comes first (RFC 3261 section 7.3.1).
        let mut lines = self.bytes.splitn(3, |&byte| byte == b'\n');
        let (first, _, rest) = (lines.next(), lines.next(), lines.next());
        let (first, rest) = (first.unwrap_or_default(), rest.unwrap_or_default());
        let bytes = [first, b"\nVia: ", via.as_bytes(), b"\r\n", rest].concat().into();
        Self { flow, bytes, ..*self }
    }

    /// Sends it; `again` marks a retransmission.
    pub(crate) fn send(&self, invite: Option<InviteId>, again: bool, out: &mut Vec<Output>) {
        out.push(Output::Send { flow: self.flow, bytes: self.bytes.clone() });
        let line = ladder_line(&self.bytes);
        out.push(Output::Wire(Wire { invite, sent: true, line, cseq: self.cseq, sdp: self.sdp, again }));
    }
}

/// The ladder's view of a received message.
pub(crate) fn received(message: &Message, invite: Option<InviteId>, again: bool) -> Output {
    let line = match message.status() {
        None => message.method().as_str().into(),
        Some(status) => format!("{status} {}", message.reason()).into_boxed_str(),
    };
    let cseq = message.cseq().map_or(0, |(number, _)| number);
    let sdp = message.sdp().is_some();
    Output::Wire(Wire { invite, sent: false, line, cseq, sdp, again })
}

/// The method of a request or the status and phrase of a response that we have built.
fn ladder_line(bytes: &[u8]) -> Box<str> {
    let line = bytes.split(|&byte| byte == b'\r').next().unwrap_or(bytes);
    let shown = match line.strip_prefix(b"SIP/2.0 ") {
        Some(status) => status,
        None => line.split(|&byte| byte == b' ').next().unwrap_or(line),
    };
    String::from_utf8_lossy(shown).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_shows_methods_and_statuses() {
        assert_eq!(&*ladder_line(b"INVITE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n"), "INVITE");
        assert_eq!(&*ladder_line(b"SIP/2.0 180 Ringing\r\n\r\n"), "180 Ringing");
    }
}
