use crate::{Fault, Message, Method, Name};

/// Why received bytes, or a part of them, could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ParseError {
    /// Nothing but line ends: a keep-alive (RFC 5626 section 4.4.1).
    #[error("nothing but line ends: a keep-alive")]
    Empty,
    /// No SIP start line: nothing to answer.
    #[error("no SIP: the first line is neither a request line nor a status line")]
    NotSip,
    /// More bytes than the limit.
    #[error("larger than the limit of {limit} bytes")]
    TooLarge {
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// SIP, but broken. `message` holds what could be read, so that a request can be answered.
    #[error("{flaw}")]
    Malformed {
        /// What is wrong.
        flaw: Flaw,
        /// All that could be read.
        message: Box<Message>,
    },
    /// A message in a stream does not say where it ends (RFC 3261 section 18.3).
    #[error("a message in a stream without a Content-Length that can be read")]
    NoContentLength,
    /// The header field is not in the message.
    #[error("{0} is missing")]
    Missing(Name),
    /// The header field's value is not what its grammar demands.
    #[error("{0} cannot be read")]
    Invalid(Name),
    /// Not a URI that can be read.
    #[error("not a URI: {0}")]
    Uri(&'static str),
}

/// What is wrong with a message that is recognisably SIP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Spaces where none belong, or a status that is no number from 100 to 699.
    #[error("the start line is malformed")]
    StartLine,
    /// A header line without a name and a colon; the line's number, counted from 1 at the start line.
    #[error("line {0} is no header field")]
    HeaderLine(usize),
    /// A carriage return without its line feed among the header fields: others may see a line end in it.
    #[error("a carriage return without its line feed among the header fields")]
    BareCarriageReturn,
    /// More header lines than [`MAX_HEADERS`](crate::MAX_HEADERS).
    #[error("more than {} header lines", crate::MAX_HEADERS)]
    TooManyHeaders,
    /// No empty line after the header fields.
    #[error("no empty line ends the header fields")]
    NoEmptyLine,
    /// Content-Length is no number, or there are two that differ.
    #[error("Content-Length cannot be read")]
    ContentLength,
    /// Fewer bytes came than Content-Length promised (RFC 3261 section 18.3).
    #[error("Content-Length promises {declared} bytes of body, {present} came")]
    BodyTooShort {
        /// By Content-Length.
        declared: usize,
        /// Received.
        present: usize,
    },
    /// A response whose CSeq cannot be read belongs to no request.
    #[error("a response without a CSeq that can be read")]
    ResponseWithoutCSeq,
}

impl ParseError {
    /// The request to answer and the answer to give, where RFC 3261 wants one: a broken request other than
    /// ACK whose Via can be read and whose From, To, Call-ID and CSeq are there to be returned. Everything
    /// else is dropped.
    pub fn answer(&self) -> Option<(&Message, Fault)> {
        let Self::Malformed { flaw, message } = self else { return None };
        let returned = [Name::From, Name::To, Name::CallId, Name::CSeq];
        let answerable = message.is_request()
            && *message.method() != Method::Ack
            && message.via().is_ok()
            && returned.iter().all(|name| message.header(*name).is_some());
        let fault = match flaw {
            Flaw::StartLine => Fault { status: 400, phrase: "Malformed Request Line" },
            Flaw::HeaderLine(_) => Fault { status: 400, phrase: "Malformed Header Line" },
            Flaw::BareCarriageReturn => Fault { status: 400, phrase: "Bare Carriage Return" },
            Flaw::TooManyHeaders => Fault { status: 513, phrase: "Too Many Header Lines" },
            Flaw::NoEmptyLine => Fault { status: 400, phrase: "Header Not Ended" },
            Flaw::ContentLength => Fault { status: 400, phrase: "Bad Content-Length" },
            Flaw::BodyTooShort { .. } => Fault { status: 400, phrase: "Body Shorter Than Content-Length" },
            Flaw::ResponseWithoutCSeq => return None,
        };
        answerable.then_some((message, fault))
    }
}
