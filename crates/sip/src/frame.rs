//! Cutting messages out of a byte stream (RFC 3261 section 18.3).

use crate::ParseError;
use crate::message::{MAX_MESSAGE, declared_length};
use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

/// A ping of RFC 5626 section 4.4.1.
const PING: &[u8] = b"\r\n\r\n";

/// What a stream carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message, for [`Message::parse`](crate::Message::parse).
    Message(Bytes),
    /// A ping: answer it with one CRLF (RFC 5626 section 4.4.1).
    KeepAlive,
}

/// Collects what a stream delivers and cuts it into frames.
#[derive(Debug)]
pub struct Framer {
    buffer: BytesMut,
    limit: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Between messages, where pings, pongs and padding are.
    Between,
    /// Among header fields, whose end is not within the first `searched` bytes.
    Head { searched: usize },
    /// The message is `length` bytes long, header fields and body.
    Body { length: usize },
}

/// What is between two messages.
enum Gap {
    /// A whole ping.
    Ping,
    /// Nothing, or what may become a ping.
    Open,
    /// A message has begun.
    Over,
}

impl Framer {
    /// A framer at the start of a stream; `limit` is the most bytes that a message may have, at most
    /// [`MAX_MESSAGE`].
    pub fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), limit: limit.min(MAX_MESSAGE), place: Place::Between }
    }

    /// Takes what the stream delivered. Call [`Framer::next`] until it has nothing more before feeding
    /// again, or the buffer outgrows the limit.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether nothing of a message waits for its rest. A line end between messages is none: some phones
    /// keep their connection alive by single ones, and it stays here as the half of a ping that it may be.
    pub fn is_empty(&self) -> bool {
        matches!(self.place, Place::Between) && PING.starts_with(&self.buffer)
    }

    /// The next frame, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`ParseError::TooLarge`] or [`ParseError::NoContentLength`]. The place of the next message is then
    /// unknown: close the stream.
    #[expect(clippy::should_implement_trait, reason = "None means not yet, and errors end the stream")]
    pub fn next(&mut self) -> Result<Option<Frame>, ParseError> {
        match self.place {
            Place::Between => match self.skip_line_ends() {
                Gap::Ping => Ok(Some(Frame::KeepAlive)),
                Gap::Open => Ok(None),
                Gap::Over => self.take_head(0),
            },
            Place::Head { searched } => self.take_head(searched),
            Place::Body { length } => Ok(self.take_message(length)),
        }
    }

    fn take_head(&mut self, searched: usize) -> Result<Option<Frame>, ParseError> {
        match self.head_end(searched) {
            Ok(end) => {
                self.within_limit(end)?;
                let body = declared_length(&self.buffer[..end]).ok_or(ParseError::NoContentLength)?;
                let length = end.saturating_add(body);
                self.within_limit(length)?;
                Ok(self.take_message(length))
            }
            Err(searched) => {
                self.within_limit(self.buffer.len())?;
                self.place = Place::Head { searched };
                Ok(None)
            }
        }
    }

    fn take_message(&mut self, length: usize) -> Option<Frame> {
        if self.buffer.len() < length {
            self.place = Place::Body { length };
            return None;
        }
        self.place = Place::Between;
        Some(Frame::Message(self.buffer.split_to(length).freeze()))
    }

    /// Passes over line ends between messages.
    fn skip_line_ends(&mut self) -> Gap {
        loop {
            if self.buffer.starts_with(PING) {
                self.buffer.advance(PING.len());
                return Gap::Ping;
            }
            if PING.starts_with(&self.buffer) {
                return Gap::Open;
            }
            match self.buffer[..] {
                [b'\r', b'\n', ..] => self.buffer.advance(2),
                [b'\n', ..] => self.buffer.advance(1),
                _ => return Gap::Over,
            }
        }
    }

    /// The offset behind the empty line, or how far there is none.
    fn head_end(&self, searched: usize) -> Result<usize, usize> {
        let mut at = searched;
        while let Some(found) = memchr(b'\n', &self.buffer[at..]) {
            let line_feed = at + found;
            match self.buffer[line_feed + 1..] {
                [b'\n', ..] => return Ok(line_feed + 2),
                [b'\r', b'\n', ..] => return Ok(line_feed + 3),
                [] | [b'\r'] => return Err(line_feed),
                _ => at = line_feed + 1,
            }
        }
        Err(self.buffer.len())
    }

    fn within_limit(&self, length: usize) -> Result<(), ParseError> {
        if length > self.limit { Err(ParseError::TooLarge { limit: self.limit }) } else { Ok(()) }
    }
}

impl Default for Framer {
    /// With the largest limit.
    fn default() -> Self {
        Self::new(MAX_MESSAGE)
    }
}
