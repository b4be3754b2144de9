use sip::{Frame, Framer, MAX_MESSAGE, Message, ParseError};

/// The limits that an input may choose among, in bytes.
const LIMITS: [usize; 4] = [64, 700, 4_096, MAX_MESSAGE];

/// A ping of RFC 5626 section 4.4.1.
const PING: &[u8] = b"\r\n\r\n";

/// What became of a stream: the frames that came out, and the error that ended it.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    frames: Vec<Frame>,
    error: Option<String>,
    /// Whether something of a message waits for its rest.
    waits: bool,
}

/// A stream for the framer. The first octet chooses the framer's limit and how many octets after it are lengths of the
/// pieces, which are taken in turn; the stream follows.
///
/// # Panics
/// If the frames or the error depend on how the stream is cut; if a frame is anything but the next octets of the
/// stream; if more is kept than the limit; or if a message exceeds it.
pub fn frames(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let limit = LIMITS[usize::from(first & 3)];
    let (lengths, stream) = rest.split_at(usize::from(first >> 2 & 7).min(rest.len()));
    let whole = cut(limit, std::iter::once(stream));
    let pieces = cut(limit, Pieces { lengths, next: 0, rest: stream });
    assert_eq!(whole, pieces, "a stream is cut the same however it arrives");
    assert_eq!(whole, cut(limit, stream.chunks(1)), "and octet by octet");
    for frame in &whole.frames {
        let Frame::Message(bytes) = frame else { continue };
        assert!(bytes.len() <= limit, "{} bytes", bytes.len());
        // A whole message says where it ends, so its body cannot be short.
        let parsed = Message::parse(bytes.clone());
        assert!(!matches!(parsed, Err(ParseError::Empty)), "{parsed:?}");
    }
}

/// The pieces of a stream, each as long as the next of `lengths` plus one says; one piece if there are none.
struct Pieces<'a> {
    lengths: &'a [u8],
    next: usize,
    rest: &'a [u8],
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let length = match self.lengths.get(self.next % self.lengths.len().max(1)) {
            Some(length) => usize::from(*length) + 1,
            None => self.rest.len(),
        };
        self.next += 1;
        let (piece, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        Some(piece)
    }
}

/// Feeds a framer and takes what it has after each piece, as a connection does.
fn cut<'a>(limit: usize, pieces: impl Iterator<Item = &'a [u8]>) -> Cut {
    let mut framer = Framer::new(limit);
    let mut frames = Vec::new();
    // What was fed and has not come out.
    let mut kept = Vec::new();
    for piece in pieces {
        framer.feed(piece);
        kept.extend_from_slice(piece);
        let mut taken = 0;
        loop {
            match framer.next() {
                Ok(Some(frame)) => {
                    taken += length_in(&kept[taken..], &frame);
                    frames.push(frame);
                }
                Ok(None) => break,
                Err(error) => return Cut { frames, error: Some(format!("{error:?}")), waits: true },
            }
        }
        kept.drain(..taken);
        skip_padding(&mut kept);
        assert!(kept.len() <= limit.max(PING.len()), "{} bytes are kept", kept.len());
        assert_eq!(framer.is_empty(), PING.starts_with(&kept), "{kept:?}");
    }
    Cut { frames, error: None, waits: !framer.is_empty() }
}

/// How much of what was fed a frame takes: itself, and the line ends before it.
fn length_in(fed: &[u8], frame: &Frame) -> usize {
    match frame {
        Frame::Message(bytes) => {
            let padding = line_ends(fed);
            assert!(fed[padding..].starts_with(bytes), "a message is the next octets of the stream");
            padding + bytes.len()
        }
        Frame::KeepAlive => {
            let ping = fed.windows(PING.len()).position(|octets| octets == PING).expect("a ping was sent");
            assert_eq!(line_ends(&fed[..ping]), ping, "a ping stands before the next message");
            ping + PING.len()
        }
    }
}

/// Forgets line ends between messages that will not become a ping.
fn skip_padding(kept: &mut Vec<u8>) {
    let padding = line_ends(kept);
    let may_become_one = (0..=padding).find(|from| PING.starts_with(&kept[*from..]));
    kept.drain(..may_become_one.unwrap_or(padding));
}

/// How many octets of line ends, CRLF or LF, `text` begins with.
fn line_ends(text: &[u8]) -> usize {
    let mut rest = text;
    loop {
        rest = match rest {
            [b'\n', behind @ ..] | [b'\r', b'\n', behind @ ..] => behind,
            _ => return text.len() - rest.len(),
        };
    }
}
