//! `register` of a trunk: the node registers there as a phone does.

use super::trunks::sip_host;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::yaml::{Key, Node};
use crate::{Listen, Register};
use clock::Duration;

/// A registrar that is asked more often takes it for an attack.
const SHORTEST: Duration = Duration::from_secs(60);

pub(super) fn read(key: &Key, node: &Node, listen: &[Listen], faults: &mut Faults<'_>) -> Option<Register> {
    const KNOWN: [&str; 6] = ["registrar", "user", "secret", "auth_user", "expires", "realm"];
    let fields = Fields::of(node, key.span, "`register`", &KNOWN, faults)?;
    let registrar = fields.require("registrar", faults).and_then(|node| {
        sip_host(node, ("`registrar`", "a registrar's address", "sip:carrier.example"), listen, faults)
    });
    let user = fields.require("user", faults).and_then(|node| word(node, "`user`", faults));
    let secret =
        fields.require("secret", faults).and_then(|node| Some(node.text("`secret`", faults)?.to_owned()));
    let auth_user = fields.get("auth_user").and_then(|node| quotable(node, "`auth_user`", faults));
    let realm = fields.get("realm").and_then(|node| quotable(node, "`realm`", faults));
    let expires = fields.get("expires").and_then(|node| {
        let expires = node.duration("`expires`", faults)?;
        if expires < SHORTEST {
            faults.error(node.span, format!("`expires` is {} s at least", SHORTEST.as_secs()));
        }
        Some(expires)
    });
    let user = user?;
    Some(Register {
        registrar: registrar?,
        auth_user: auth_user.unwrap_or_else(|| user.clone()),
        user,
        secret: secret?,
        realm,
        expires: expires.unwrap_or(Duration::from_secs(600)),
    })
}

/// The user part of a SIP URI (RFC 3261 section 25.1), as it stands there.
fn word(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = node.text(what, faults)?;
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&b)) {
        let hint = "write what stands before the `@`: 34911000100 or +34911000100";
        faults.hinted(node.span, format!("{what} is not the user of a SIP address"), hint);
        return None;
    }
    Some(text.to_owned())
}

/// What can stand in a quoted string of a header field.
fn quotable(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = node.text(what, faults)?;
    if text.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
        faults.error(node.span, format!("{what} has no quotes, backslashes or line breaks"));
        return None;
    }
    Some(text.to_owned())
}
