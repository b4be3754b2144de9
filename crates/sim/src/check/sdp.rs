//! The switch's session descriptions: answers fit their offers, and versions count changes (RFC 3264).

use crate::wire::{self, Read};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// More requests of the switch than any dialog here needs, refreshes and keys by INFO included.
const MOST_REQUESTS: u32 = 60;

/// What was described so far.
#[derive(Debug, Default)]
pub(crate) struct Descriptions {
    /// The last description of the switch in each session: its version and its text.
    last: BTreeMap<String, (u64, String)>,
    /// Offers of phones that wait for the answer, by Call-ID, From and CSeq: the branches of a fork share the
    /// Call-ID.
    offers: BTreeMap<(String, String, u32), String>,
    /// The name that the phone had last in checks, and the credentials of the switch, of each session that it has answered by
    /// DTLS.
    ice: BTreeMap<String, (String, [String; 2])>,
    /// The sessions of offers of the switch, by the Call-ID, From and CSeq of the message and of its answer.
    asked: BTreeMap<(String, String, u32), String>,
}

impl Descriptions {
    /// Holds what the switch sent in a turn against what came.
    ///
    /// # Errors
    /// The rule that was broken.
    pub(crate) fn check(&mut self, came: Option<&Read>, went: &[(SocketAddr, Read)]) -> Result<(), String> {
        if let Some(read) = came.filter(|read| read.method.as_deref() == Some("INVITE"))
            && let Some(offer) = text(read)
        {
            self.offers.insert(key(read), offer);
        }
        self.note_answer(came);
        for (_, read) in went {
            if read.method.as_deref() == Some("INVITE") && read.cseq > MOST_REQUESTS {
                return Err(format!("re-INVITEs without an end: {} in {}", read.cseq, read.call_id));
            }
            let Some(sent) = text(read) else { continue };
            self.check_version(&sent)?;
            let is_answer = read.status.is_some() && read.cseq_method == "INVITE";
            if let Some(offer) = self.offers.get(&key(read)).filter(|_| is_answer) {
                check_answer(offer, &sent)?;
                check_ice(&mut self.ice, offer, &sent)?;
            } else {
                self.asked.insert(key(read), session(&sent).to_owned());
            }
        }
        Ok(())
    }

    /// A phone has one name for all of its calls, and may have changed it in another one before it answers in this.
    fn note_answer(&mut self, came: Option<&Read>) {
        let Some(read) = came else { return };
        let known = self.asked.get(&key(read)).and_then(|session| self.ice.get_mut(session));
        if let (Some((name, _)), Some(answer)) = (known, text(read))
            && let Some(told) = line(&answer, "a=ice-ufrag:")
        {
            told.clone_into(name);
        }
    }

    /// A changed description has the next version, an unchanged one the same (section 8).
    fn check_version(&mut self, sent: &str) -> Result<(), String> {
        let mut origin = line(sent, "o=").unwrap_or("").split(' ').skip(1);
        let (Some(session), Some(version)) = (origin.next(), origin.next().and_then(|v| v.parse().ok()))
        else {
            return Err(format!("no origin in {sent}"));
        };
        let before = self.last.insert(session.to_owned(), (version, sent.to_owned()));
        match before {
            Some((last, text))
                if (text == *sent) != (last == version) || version > last + 1 || version < last =>
            {
                Err(format!("version {version} after {last}: {text} then {sent}"))
            }
            _ => Ok(()),
        }
    }
}

/// The number of a session (RFC 4566 section 5.2).
fn session(text: &str) -> &str {
    line(text, "o=").and_then(|origin| origin.split(' ').nth(1)).unwrap_or("")
}

/// An answer by DTLS has what it takes, and new credentials where the offer restarts ICE, else those of before (RFC 8839
/// 4.4.1.1.1, 4.4.2).
fn check_ice(
    sessions: &mut BTreeMap<String, (String, [String; 2])>,
    offer: &str,
    answer: &str,
) -> Result<(), String> {
    let session = session(answer).to_owned();
    if profile(offer) != "UDP/TLS/RTP/SAVPF" {
        sessions.remove(&session);
        return Ok(());
    }
    let told = |text, name| line(text, name).unwrap_or("").to_owned();
    let theirs = told(offer, "a=ice-ufrag:");
    let ours = ["a=ice-ufrag:", "a=ice-pwd:"].map(|name| told(answer, name));
    let is_whole = ours.iter().all(|it| !it.is_empty())
        && line(answer, "a=fingerprint:").is_some()
        && line(answer, "a=setup:passive").is_some();
    let fits = sessions.get(&session).is_none_or(|(name, before)| {
        if *name == theirs { *before == ours } else { before.iter().all(|it| !ours.contains(it)) }
    });
    sessions.insert(session, (theirs, ours));
    if is_whole && fits { Ok(()) } else { Err(format!("the credentials do not fit: {offer} then {answer}")) }
}

/// The answer takes formats of the offer only (section 6.1), and a direction that fits; its keys are those of one line of
/// the offer (RFC 4568 5.1.2), and there are some where the offer has nothing else.
fn check_answer(offer: &str, answer: &str) -> Result<(), String> {
    if wire::has_fax(answer.as_bytes()) {
        return check_fax(offer, answer);
    }
    let lines = |text| crypto(text).collect::<Vec<_>>();
    let (offered, chosen) = (lines(offer), lines(answer));
    let needed = usize::from(profile(offer) == "RTP/SAVP");
    let fits =
        chosen.len() >= needed && chosen.len() <= 1 && chosen.iter().all(|line| offered.contains(line));
    if !fits || profile(offer) != profile(answer) {
        return Err(format!("the keys of the answer do not fit: {offer} then {answer}"));
    }
    let (offered, chosen) = (formats(offer), formats(answer));
    if !chosen.is_subset(&offered) || chosen.is_empty() {
        return Err(format!("the answer has {chosen:?} where {offered:?} was offered"));
    }
    let fits: &[&str] = match direction(offer) {
        "sendonly" => &["recvonly", "inactive"],
        "recvonly" => &["sendonly", "inactive"],
        "inactive" => &["inactive"],
        _ => &["sendrecv", "sendonly", "recvonly", "inactive"],
    };
    if fits.contains(&direction(answer)) {
        return Ok(());
    }
    Err(format!("the answer is {} to an offer that is {}", direction(answer), direction(offer)))
}

/// Fax is answered where it is offered, every section in its place, and the audio beside it is off (T.38 annex D, RFC 3264
/// section 6).
fn check_fax(offer: &str, answer: &str) -> Result<(), String> {
    let sections = |text: &str| -> Vec<String> {
        let kinds = text.lines().filter_map(|line| line.strip_prefix("m="));
        kinds.map(|line| line.split(' ').next().unwrap_or("").to_owned()).collect()
    };
    let has_audio = line(answer, "m=audio ").is_some_and(|line| !line.starts_with("m=audio 0 "));
    let fits = wire::has_fax(offer.as_bytes()) && sections(offer) == sections(answer) && !has_audio;
    if fits { Ok(()) } else { Err(format!("fax does not fit: {offer} then {answer}")) }
}

fn key(read: &Read) -> (String, String, u32) {
    (read.call_id.clone(), read.from.clone(), read.cseq)
}

fn text(read: &Read) -> Option<String> {
    read.body.starts_with(b"v=0").then(|| String::from_utf8_lossy(&read.body).into_owned())
}

fn line<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.lines().find(|line| line.starts_with(start))
}

fn profile(text: &str) -> &str {
    line(text, "m=audio ").and_then(|line| line.split(' ').nth(2)).unwrap_or("")
}

/// Tag and suite of each line.
fn crypto(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("a=crypto:"));
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(tag, rest)| (tag, rest.split(' ').next().unwrap_or("")))
}

fn formats(text: &str) -> BTreeSet<&str> {
    line(text, "m=audio ").unwrap_or("").split(' ').skip(3).collect()
}

fn direction(text: &str) -> &str {
    let known = ["sendrecv", "sendonly", "recvonly", "inactive"];
    let mut given = text.lines().filter_map(|line| line.strip_prefix("a="));
    given.find(|value| known.contains(value)).unwrap_or("sendrecv")
}
