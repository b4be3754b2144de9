//! Keys pressed, as INFO requests tell of them: the bodies that phones sent before RFC 6086 and send still. And candidates of
//! ICE, which browsers find after their offer (RFC 8840).

use crate::Message;

/// What an INFO may carry, as the value of Accept.
pub const INFO_BODIES: &str = "application/dtmf-relay, application/dtmf, application/trickle-ice-sdpfrag";

/// The only Info-Package that is known, as the value of Recv-Info (RFC 8840 section 10.2).
pub const INFO_PACKAGE: &str = "trickle-ice";

/// Reads an INFO: the key that was pressed, 0–9, `*`, `#` or A–D, or none if it has no body (a sign of life) or tells
/// candidates: a lite agent learns them from their checks.
///
/// # Errors
/// The status to refuse it with: 469 for another Info-Package than [`INFO_PACKAGE`] (RFC 6086 section 4.2.3), 415 for a body of
/// another type, 400 for one that names no key.
pub fn pressed_key(info: &Message) -> Result<Option<char>, u16> {
    let package = info.header_text("Info-Package").map(str::trim_ascii);
    if package.is_some_and(|package| !package.eq_ignore_ascii_case(INFO_PACKAGE)) {
        return Err(469);
    }
    if info.body().is_empty() || info.has_body_of("application/trickle-ice-sdpfrag") {
        return Ok(None);
    }
    let text = std::str::from_utf8(info.body()).map_err(|_| 400_u16)?;
    let signal = if info.has_body_of("application/dtmf-relay") {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        let signal = lines.find(|(name, _)| name.trim_ascii().eq_ignore_ascii_case("Signal"));
        signal.ok_or(400_u16)?.1
    } else if info.has_body_of("application/dtmf") {
        text
    } else {
        return Err(415);
    };
    key(signal.trim_ascii()).map(Some).ok_or(400)
}

/// A key, or its number among the events of RFC 4733 section 3.2.
fn key(signal: &str) -> Option<char> {
    const KEYS: &[u8] = b"0123456789*#ABCD";
    if let [byte] = signal.as_bytes() {
        let byte = byte.to_ascii_uppercase();
        return KEYS.contains(&byte).then_some(char::from(byte));
    }
    let number: usize = signal.parse().ok()?;
    KEYS.get(number).copied().map(char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str, body: &str) -> Result<Option<char>, u16> {
        let text = format!(
            "INFO sip:ringdown@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: c\r\nCSeq: 2 INFO\r\n{fields}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        pressed_key(&Message::parse(text.into()).unwrap())
    }

    #[test]
    fn keys_are_read_as_phones_write_them() {
        let relay = "Content-Type: application/dtmf-relay\r\n";
        for (body, key) in [
            ("Signal=5\r\nDuration=160\r\n", '5'),
            ("Signal= #\r\nDuration= 250", '#'),
            ("Duration=100\nsignal=*\n", '*'),
            ("Signal=d\r\n", 'D'),
            ("Signal=10\r\nDuration=160\r\n", '*'),
            ("Signal=11\r\n", '#'),
        ] {
            assert_eq!(read(relay, body), Ok(Some(key)), "{body}");
        }
        for (body, key) in [("7", '7'), ("11\r\n", '#'), ("A", 'A')] {
            assert_eq!(read("c: application/dtmf\r\n", body), Ok(Some(key)), "{body}");
        }
        for body in ["Signal=16\r\n", "Signal=\r\n", "Duration=160\r\n", "Signal=55555555555555555555"] {
            assert_eq!(read(relay, body), Err(400), "{body}");
        }
    }

    #[test]
    fn rfc8840_candidates_are_accepted() {
        let fields = "Info-Package: trickle-ice\r\nContent-Disposition: Info-Package\r\n\
                      Content-Type: application/trickle-ice-sdpfrag\r\n";
        let body = "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
                    a=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host\r\na=end-of-candidates\r\n";
        assert_eq!(read(fields, body), Ok(None));
        assert_eq!(read("Info-Package: Trickle-ICE\r\n", ""), Ok(None));
    }

    #[test]
    fn rfc6086_4_2_3_no_other_info_package_is_known() {
        assert_eq!(read("Info-Package: foo\r\nContent-Type: application/dtmf\r\n", "5"), Err(469));
        assert_eq!(read("", ""), Ok(None));
        assert_eq!(read("Content-Type: application/media_control+xml\r\n", "<x/>"), Err(415));
    }
}
