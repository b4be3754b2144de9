//! Responses that we send.

use super::{Body, Endpoint, Output};
use crate::dialog::tag_text;
use crate::transaction::server::Waiting;
use crate::transaction::{Outgoing, received};
use crate::{Fault, Flow, Message, Method, Name, ResponseBuilder};
use std::net::SocketAddr;

impl Endpoint {
    /// Builds the response to a request that waits for one.
    pub(super) fn response(
        &self,
        waiting: &Waiting,
        status: u16,
        headers: &[(&str, &str)],
        body: Option<&Body>,
    ) -> Outgoing {
        let tag = (status > 100).then(|| tag_text(waiting.to_tag));
        let fault = Fault { status, phrase: "" };
        self.build(&waiting.request, waiting.flow, fault, tag.as_deref(), headers, body)
    }

    /// Answers a request without keeping any state (8.2.7). The To tag is made from the request, so that
    /// the same request gets the same answer; an ACK that follows matches nothing and is dropped.
    pub(super) fn refuse(
        &mut self,
        flow: Flow,
        request: &Message,
        fault: Fault,
        headers: &[(&str, &str)],
        out: &mut Vec<Output>,
    ) {
        if *request.method() == Method::Ack {
            self.counters.dropped += 1;
            return;
        }
        out.push(received(request, None, false));
        self.stateless(flow, request, fault, headers).send(None, false, out);
    }

    /// The response of [`Endpoint::refuse`].
    pub(super) fn stateless(
        &self,
        flow: Flow,
        request: &Message,
        fault: Fault,
        headers: &[(&str, &str)],
    ) -> Outgoing {
        let via = request.header(Name::Via).unwrap_or("");
        let tag = tag_text(self.tokens.stateless_tag(&[request.call_id(), via]));
        self.build(request, flow, fault, Some(&tag), headers, None)
    }

    pub(super) fn build(
        &self,
        request: &Message,
        flow: Flow,
        fault: Fault,
        to_tag: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<&Body>,
    ) -> Outgoing {
        let mut builder =
            ResponseBuilder::response_to(request, flow.peer, fault.status, fault.phrase, to_tag);
        if fault.status > 100 {
            builder = builder.header(Name::Server, &self.config.user_agent);
        }
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let bytes = match body {
            Some(body) => builder.finish_with(&body.content_type, &body.bytes),
            None => builder.finish(),
        };
        let cseq = request.cseq().map_or(0, |(number, _)| number);
        let sdp = body.is_some_and(Body::is_sdp);
        Outgoing { flow: response_flow(request, flow), bytes, cseq, sdp }
    }
}

/// Where the response to a request goes that came by `flow` (18.2.2; RFC 3581 section 4).
fn response_flow(request: &Message, flow: Flow) -> Flow {
    match request.via() {
        Ok(via) if !flow.transport.is_reliable() && via.rport().is_none() => {
            let port = via.port().unwrap_or(flow.transport.default_port());
            Flow { peer: SocketAddr::new(flow.peer.ip(), port), ..flow }
        }
        _ => flow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3581_4_rport_decides_where_a_response_goes() {
        let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.9:40000".parse().unwrap());
        let request = |params: &str| {
            let text = format!(
                "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5070{params}\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
            );
            Message::parse(text.into()).unwrap()
        };
        let plain = response_flow(&request(";branch=z9hG4bK1"), flow);
        assert_eq!(plain.peer, "192.0.2.9:5070".parse().unwrap());
        assert_eq!(response_flow(&request(";branch=z9hG4bK1;rport"), flow), flow);
    }
}
