//! The RFCs' own torture messages, where their bytes are at hand: fed to an endpoint, and nowhere else, since
//! their addresses are other people's. `TORTURE_DIR`, or `shared/torture` beside the repository, holds them.

use crate::lone::Lone;
use crate::world::config;
use sip::{Endpoint, Event, Flow, Message, Name, Output};
use std::path::{Path, PathBuf};

/// The folder, or `None` and a line that says so.
fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/torture");
    let folder = std::env::var_os("TORTURE_DIR").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: no RFC torture messages in {}", folder.display());
        return None;
    }
    Some(folder)
}

#[expect(clippy::disallowed_methods, reason = "the messages are files, and no shell is there to read them")]
fn octets(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// What an endpoint makes of one datagram, in a word: `INVITE` and the like for what its user sees, the status
/// of an answer that it gives itself, `dropped`.
fn judge(bytes: Vec<u8>, peer: &str) -> String {
    let mut endpoint = Endpoint::new(config(), [3; 32]);
    let lone = Lone::new();
    let flow = Flow { peer: peer.parse().unwrap(), ..lone.flow };
    let mut out = Vec::new();
    endpoint.receive(lone.now, flow, bytes.into(), &mut out);
    for output in &out {
        match output {
            Output::Event(Event::Invite { message, .. } | Event::Request { message, .. }) => {
                return message.method().to_string();
            }
            Output::Send { bytes, .. } if !bytes.starts_with(b"SIP/2.0 100") => {
                return String::from_utf8_lossy(&bytes[8..11]).into_owned();
            }
            _ => {}
        }
    }
    "dropped".to_owned()
}

#[test]
fn rfc4475_every_message() {
    let Some(folder) = folder() else { return };
    let wanted = [
        // Its To has a tag: the dialog is not ours.
        ("wsinv", "481"),
        ("intmeth", "501"),
        ("esc01", "INVITE"),
        ("escnull", "REGISTER"),
        ("esc02", "501"),
        ("lwsdisp", "OPTIONS"),
        ("longreq", "INVITE"),
        ("dblreq", "REGISTER"),
        ("semiuri", "OPTIONS"),
        ("transports", "OPTIONS"),
        ("mpart01", "MESSAGE"),
        ("unreason", "dropped"),
        ("noreason", "dropped"),
        ("badinv01", "400"),
        ("clerr", "400"),
        ("ncl", "400"),
        ("scalar02", "400"),
        ("scalarlg", "dropped"),
        ("quotbal", "400"),
        ("ltgtruri", "400"),
        ("lwsruri", "400"),
        ("lwsstart", "400"),
        ("trws", "400"),
        ("escruri", "INVITE"),
        ("baddate", "INVITE"),
        ("regbadct", "400"),
        ("badaspec", "400"),
        ("baddn", "400"),
        ("badvers", "505"),
        ("mismatch01", "400"),
        ("mismatch02", "400"),
        ("bigcode", "dropped"),
        ("badbranch", "OPTIONS"),
        ("insuf", "400"),
        ("unkscm", "416"),
        ("novelsc", "416"),
        ("unksm2", "400"),
        ("bext01", "420"),
        ("invut", "415"),
        ("regaut01", "REGISTER"),
        ("multi01", "400"),
        ("mcl01", "400"),
        ("bcast", "dropped"),
        ("zeromf", "OPTIONS"),
        ("cparam01", "REGISTER"),
        ("cparam02", "REGISTER"),
        ("regescrt", "REGISTER"),
        ("sdp01", "406"),
        ("inv2543", "INVITE"),
    ];
    let mut differ = Vec::new();
    for (name, wanted) in wanted {
        let bytes = octets(&folder.join(format!("rfc4475/{name}.dat")));
        let got = judge(bytes, "192.0.2.1:5060");
        if got != wanted {
            differ.push(format!("{name}: {got}, not {wanted}"));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
    let files = std::fs::read_dir(folder.join("rfc4475")).unwrap();
    let messages =
        files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|ext| ext == "dat"));
    assert_eq!(messages.count(), wanted.len());
}

#[test]
fn rfc4475_what_a_right_parser_reads_of_the_valid_ones() {
    let Some(folder) = folder() else { return };
    let read = |name: &str| {
        let bytes = octets(&folder.join(format!("rfc4475/{name}.dat")));
        Message::parse(bytes.into()).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    // Name, From tag, To user as written, CSeq, Vias, top branch, Contacts, octets of body, Max-Forwards.
    type Facts<'a> =
        (&'a str, Option<&'a str>, &'a str, u32, usize, Option<&'a str>, usize, usize, Option<u8>);
    let facts: [Facts<'_>; 13] = [
        ("wsinv", Some("98asjd8"), "vivekg", 9, 3, Some("390skdjuw"), 1, 150, Some(68)),
        (
            "intmeth",
            Some("_token~1'+`*%!-."),
            "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
            139_122_385,
            1,
            Some("z9hG4bK-.!%66*_+`'~"),
            0,
            0,
            Some(255),
        ),
        ("esc01", Some("938"), "%75se%72", 234_234, 1, Some("z9hG4bKkdjuw"), 1, 150, Some(87)),
        ("escnull", Some("839923423"), "null-%00-null", 14_398_234, 1, Some("z9hG4bKkdjuw"), 2, 0, Some(70)),
        ("esc02", Some("f232jadfj23"), "resource", 29_344, 1, Some("z9hG4bK209%fzsnel234"), 2, 0, Some(70)),
        ("lwsdisp", Some("323"), "user", 60, 1, Some("z9hG4bKkdjuw"), 0, 0, Some(70)),
        ("longreq", None, "user", 3_882_340, 34, None, 1, 150, Some(70)),
        ("dblreq", Some("43251j3j324"), "j.user", 8, 1, Some("z9hG4bKkdjuw23492"), 1, 0, Some(8)),
        ("semiuri", Some("33242"), "j_user", 8, 1, Some("z9hG4bKkdjuw"), 0, 0, Some(3)),
        ("transports", Some("323"), "user", 60, 5, Some("z9hG4bKkdjuw"), 0, 0, Some(70)),
        (
            "mpart01",
            Some("2fb0dcc9"),
            "kumiko",
            1,
            1,
            Some("z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-"),
            1,
            553,
            Some(70),
        ),
        ("unreason", Some("11141343"), "user", 35, 1, Some("z9hG4bK1324923"), 1, 154, None),
        ("noreason", Some("39ansfi3"), "user", 35, 1, Some("z9hG4bK2398ndaoe"), 1, 0, None),
    ];
    for (name, from_tag, to_user, cseq, vias, branch, contacts, body, hops) in facts {
        let message = read(name);
        assert_eq!(message.validate(), Ok(()), "{name}");
        if name != "longreq" {
            assert_eq!(message.from().unwrap().tag(), from_tag, "{name}");
            assert_eq!(message.via().unwrap().branch(), branch, "{name}");
        }
        let to = message.to().unwrap();
        assert_eq!(to.uri().unwrap().as_sip().unwrap().user, Some(to_user), "{name}");
        assert_eq!(message.cseq().unwrap().0, cseq, "{name}");
        assert_eq!(message.header_values(Name::Via).count(), vias, "{name}");
        assert_eq!(message.contacts().filter(Result::is_ok).count(), contacts, "{name}");
        assert_eq!((message.body().len(), message.max_forwards()), (body, hops), "{name}");
    }
}

#[test]
fn rfc5118_every_message() {
    let Some(folder) = folder() else { return };
    let wanted = [
        ("ipv6-good", "REGISTER"),
        ("ipv6-bad", "400"),
        ("port-ambiguous", "REGISTER"),
        ("port-unambiguous", "REGISTER"),
        ("via-received-param-with-delim", "481"),
        ("via-received-param-no-delim", "OPTIONS"),
        ("ipv6-in-sdp", "INVITE"),
        ("mult-ip-in-header", "481"),
        ("mult-ip-in-sdp", "INVITE"),
        ("ipv4-mapped-ipv6", "INVITE"),
        ("ipv6-bug-abnf-3-colons", "400"),
        ("ipv6-correct-abnf-2-colons", "OPTIONS"),
    ];
    for (name, wanted) in wanted {
        let bytes = octets(&folder.join("rfc5118").join(name));
        assert_eq!(judge(bytes, "[2001:db8::9:1]:5060"), wanted, "{name}");
    }
    assert_eq!(std::fs::read_dir(folder.join("rfc5118")).unwrap().count(), wanted.len());
}
