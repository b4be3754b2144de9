use super::*;
use crate::{Input, Output, Switch, SwitchConfig};
use clock::Time;
use dialplan::{Attestation, ClientFiles, SourceFile};
use events::Kind;
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair};
use rtp::control::{Event, LocalPort};
use shaken::Signer;
use sip::{Flow, Transport};

/// 1 June 2026, noon.
const NOW: i64 = 1_780_315_200;
const URL: &str = "https://certs.example/a.pem";
const FLOW: &str = "
client: {name: Acme}
numbers: {\"+34911000100\": main}
flows:
  main:
    - if: {when: call.verstat == 'passed' && call.attest == 'B', then: {reject: 486}}
    - if: {when: call.verstat == 'failed' && call.attest == '', then: {reject: 488}}
    - reject: 480
";

/// A signer, and those who trust it.
struct World {
    switch: Switch,
    key: String,
    signer: Signer,
    roots: String,
    chain: String,
}

impl World {
    /// A node whose trunk has this `stir`.
    fn new(receive: &str) -> Self {
        Self::by(receive, "")
    }

    fn by(receive: &str, node_stir: &str) -> Self {
        Self::serving(&format!("{{from: 192.0.2.1, stir: {{receive: {receive}}}}}"), node_stir, FLOW)
    }

    /// A node of this trunk and client.
    fn serving(trunk: &str, node_stir: &str, client: &str) -> Self {
        let (roots, key, chain) = certified();
        let mut switch = Switch::new(config(), Arc::new(plan(trunk, node_stir, client)));
        let ports = (0..64).map(|n| LocalPort { thread: 0, port: 30_000 + 2 * n }).collect();
        switch.handle(Time::ZERO, Input::Media(Event::Ready(ports)), &mut Vec::new());
        let signer = Signer::read(key.as_bytes(), URL).expect("a key");
        let mut world = Self { switch, key, signer, roots, chain };
        world.trust(&[]);
        world
    }

    /// Gives it the roots, and the certificates of files.
    fn trust(&mut self, files: &[&str]) {
        let anchors = Some(Anchors::read(self.roots.as_bytes()).expect("roots"));
        let chain = |url: &&str| ((*url).into(), self.chain.clone().into());
        let certificates = files.iter().map(chain).collect();
        let signer = Signer::read(self.key.as_bytes(), URL).expect("a key");
        let signers = HashMap::from([("carrier".into(), signer)]);
        let credentials = Credentials { anchors, certificates, signers };
        self.switch.handle(Time::ZERO, Input::Credentials(Arc::new(credentials)), &mut Vec::new());
    }

    fn token(&self, orig: &str, age: i64) -> String {
        let number = |text: &str| Number::read(text).expect("a number");
        let passport = Passport {
            attestation: Attestation::B,
            orig: number(orig),
            dest: vec![number("+34911000100")],
            issued_at: NOW - age,
            origin_id: "here".into(),
        };
        format!("Identity: {}", self.signer.sign(&passport))
    }

    /// A call with these header fields at a second.
    fn call(&mut self, second: u64, fields: &[&str]) -> Said {
        let from = if fields.iter().any(|field| field.starts_with("From:")) {
            ""
        } else {
            "From: <sip:+12155551212@192.0.2.1>;tag=1\r\n"
        };
        let number = self.switch.core.random.next();
        let text = format!(
            "INVITE sip:+34911000100@10.0.0.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\n{from}To: <sip:+34911000100@10.0.0.1>\r\n\
             Call-ID: {number}\r\nCSeq: 1 INVITE\r\nContact: <sip:192.0.2.1>\r\n{}\r\n",
            fields.iter().map(|field| format!("{field}\r\n")).collect::<String>()
        );
        let flow = Flow {
            transport: Transport::Udp,
            local: "10.0.0.1:5060".parse().expect("an address"),
            peer: "192.0.2.1:5060".parse().expect("an address"),
            connection: 0,
            domain: 0,
        };
        self.input(second, Input::Sip { flow, bytes: text.into_bytes().into() })
    }

    fn found(&mut self, second: u64, found: Result<&str, &str>) -> Said {
        let found = found.map(|chain| chain.as_bytes().to_vec().into()).map_err(str::to_owned);
        self.input(second, Input::Certificate { url: URL.into(), found })
    }

    fn input(&mut self, second: u64, input: Input) -> Said {
        let mut out = Vec::new();
        self.switch.handle(Time::from_secs(second), input, &mut out);
        assert_eq!(self.switch.audit(), Vec::<String>::new());
        Said::read(out)
    }
}

/// What a turn gave.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// Final responses, and their Reason.
    refused: Vec<(u16, String)>,
    /// Certificates that are to be fetched.
    asked: Vec<String>,
    /// Identity and Date of INVITEs.
    signed: Vec<(String, String)>,
    /// Verdicts of the log.
    verdicts: Vec<(String, Option<String>)>,
}

impl Said {
    fn read(out: Vec<Output>) -> Self {
        let mut said = Self::default();
        for output in out {
            match output {
                Output::Send { bytes, .. } => {
                    let response = Message::parse(bytes).expect("a message");
                    if *response.method() == sip::Method::Invite && response.status().is_none() {
                        let field = |name| response.header(name).unwrap_or_default().to_owned();
                        said.signed.push((field(Name::Identity), field(Name::Date)));
                    }
                    if let Some(status) = response.status().filter(|status| *status >= 200) {
                        let reason = response.header(Name::Reason).unwrap_or_default();
                        said.refused.push((status, reason.to_owned()));
                    }
                }
                Output::Certificate(url) => said.asked.push(url.to_string()),
                Output::Event(events::Event {
                    kind: Kind::CallerVerified { verstat, reason, .. }, ..
                }) => {
                    said.verdicts.push((verstat.to_string(), reason));
                }
                _ => {}
            }
        }
        said
    }

    /// The one final response.
    fn status(&self) -> u16 {
        let [(status, _)] = &self.refused[..] else { panic!("one response in {self:?}") };
        *status
    }
}

fn plan(trunk: &str, node_stir: &str, client: &str) -> dialplan::Config {
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
    let node = format!(
        "node: {{name: test}}\nsip: {{listen: [\"udp:10.0.0.1:5060\"]}}\n\
         rtp: {{ports: 30000-30999, address: 10.0.0.1}}\nstir: {{trust: roots.pem{node_stir}}}\n\
         trunks: {{carrier: {trunk}}}\nclients: [acme]\n"
    );
    let client = ClientFiles {
        id: "acme".into(),
        path: "acme".into(),
        files: vec![file("acme/acme.yaml", client)],
        prompts: Vec::new(),
    };
    let input =
        dialplan::Input { node: file("ringdown.yaml", &node), clients: vec![client], system_prompts: vec![] };
    dialplan::load(&input).unwrap_or_else(|report| panic!("{report}"))
}

fn config() -> SwitchConfig {
    SwitchConfig {
        seed: [1; 32],
        unix_micros_at_zero: NOW * 1_000_000,
        first_seq: 1,
        first_contact: 1,
        recordings: "recordings".into(),
        plan_version: 1,
        version: "test",
        fingerprint: None,
    }
}

/// A root, and a key with the certificate that it has been given.
fn certified() -> (String, String, String) {
    let mut root = CertificateParams::default();
    root.distinguished_name.push(DnType::CommonName, "STI root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().expect("a key");
    let roots = root.self_signed(&root_key).expect("a certificate").pem();
    let mut params = CertificateParams::default();
    let list = b"\x30\x08\xa0\x06\x16\x04709J".to_vec();
    params.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 26], list)];
    let key = KeyPair::generate().expect("a key");
    let chain = params.signed_by(&key, &Issuer::new(root, root_key)).expect("a certificate").pem();
    (roots, key.serialize_pem(), chain)
}

#[test]
fn rfc8224_6_2_the_flow_begins_when_it_is_known_who_answers_for_the_caller() {
    let mut world = World::new("verify");
    let token = world.token("+12155551212", 0);
    let said = world.call(1, &[&token]);
    assert_eq!(said, Said { asked: vec![URL.into()], ..Said::default() }, "it waits");
    let chain = world.chain.clone();
    let said = world.found(2, Ok(&chain));
    assert_eq!((said.status(), said.verdicts), (486, vec![("passed".into(), None)]));
    // The next call finds it there.
    let said = world.call(30, &[&token]);
    assert_eq!((said.status(), said.asked), (486, Vec::new()));
}

#[test]
fn a_certificate_of_a_file_is_not_fetched() {
    let mut world = World::by("verify", ", fetch: off");
    world.trust(&[URL]);
    let token = world.token("+12155551212", 0);
    let said = world.call(1, &[&token]);
    assert_eq!((said.status(), said.asked), (486, Vec::new()));
    world.trust(&[]);
    let said = world.call(2, &[&token]);
    assert_eq!((said.status(), said.asked), (488, Vec::new()), "and none is without files");
}

#[test]
fn whoever_lies_is_told_to_the_flow_and_refused_where_that_is_wanted() {
    let other = "From: <sip:+12155551213@192.0.2.1>;tag=1";
    let asserted = "P-Asserted-Identity: <tel:+12155551213>";
    let cases: [(&[&str], i64, u16, u16); 5] = [
        (&[], 0, 486, 486),
        (&[other], 0, 488, 438),
        (&[asserted], 0, 488, 438),
        (&[], 61, 488, 403),
        (&["From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1"], 0, 480, 428),
    ];
    for (fields, age, verified, required) in cases {
        for (receive, status) in [("verify", verified), ("require", required)] {
            let mut world = World::new(receive);
            world.trust(&[URL]);
            let token = world.token("+12155551212", age);
            let fields = [&[&*token], fields].concat();
            let said = world.call(1, &fields);
            assert_eq!(said.status(), status, "{receive} {fields:?}");
        }
    }
    let mut world = World::new("require");
    let said = world.call(1, &[]);
    let reason = "STIR;cause=428;text=\"Use Identity Header\"";
    assert_eq!(said.refused, [(428, reason.into())], "RFC 9410");
    assert_eq!(said.verdicts, [("none".into(), Some("nobody answers for the caller".into()))]);
    let said = World::new("ignore").call(1, &[&world.token("+12155551212", 0)]);
    assert_eq!((said.status(), said.verdicts, said.asked), (480, Vec::new(), Vec::new()));
}

#[test]
fn a_withheld_number_is_vouched_for_all_the_same() {
    let mut world = World::new("verify");
    world.trust(&[URL]);
    let token = world.token("+12155551212", 0);
    let said = world.call(1, &[&token, "P-Asserted-Identity: <tel:+12155551212>", "Privacy: id"]);
    assert_eq!(said.status(), 486);
}

#[test]
fn nobody_waits_for_a_certificate_for_ever_and_a_token_does_not_age_meanwhile() {
    let mut world = World::new("require");
    let token = world.token("+12155551212", 59);
    assert_eq!(world.call(0, &[&token]).asked, [URL]);
    assert_eq!(world.switch.next_timeout(), Some(Time::from_secs(2)));
    let said = world.input(2, Input::Timeout);
    assert_eq!(said.refused, [(436, "STIR;cause=436;text=\"Bad Identity Info\"".into())]);
    // The failure holds for half a minute; what comes late is used.
    let fresh = world.token("+12155551212", -20);
    assert_eq!(world.call(10, &[&fresh]).status(), 436);
    let chain = world.chain.clone();
    assert_eq!(world.found(11, Ok(&chain)), Said::default());
    assert_eq!(world.call(12, &[&fresh]).status(), 486);
}

#[test]
fn what_was_found_serves_while_it_is_fetched_anew_and_while_it_cannot_be() {
    let mut world = World::by("require", ", max_age: 10m");
    let chain = world.chain.clone();
    assert_eq!(world.call(0, &[&world.token("+12155551212", 0)]).asked, [URL]);
    world.found(0, Ok(&chain));
    let later = world.token("+12155551212", -3_600);
    let said = world.call(3_600, &[&later]);
    assert_eq!((said.status(), said.asked), (486, vec![URL.into()]));
    world.found(3_601, Err("500"));
    assert_eq!(world.call(3_602, &[&later]).status(), 486);
    // One that is nobody's any more is refused at once.
    assert_eq!(world.call(3_640, &[&later]).asked, [URL]);
    world.found(3_641, Ok("nonsense"));
    assert_eq!(world.call(3_642, &[&later]).status(), 437);
}

#[test]
fn a_caller_that_leaves_while_it_waits_is_gone() {
    let mut world = World::new("require");
    let token = world.token("+12155551212", 0);
    world.call(0, &[&token]);
    world.input(1, Input::Hangup(events::ContactId(1)));
    let chain = world.chain.clone();
    assert_eq!(world.found(1, Ok(&chain)), Said::default());
}

#[test]
fn whoever_names_ever_other_places_gets_no_further() {
    let mut world = World::new("require");
    let key = KeyPair::generate().expect("a key").serialize_pem();
    for number in 0..40 {
        let url = format!("https://certs.example/{number}.pem");
        world.signer = Signer::read(key.as_bytes(), &url).expect("a key");
        let token = world.token("+12155551212", 0);
        let said = world.call(0, &[&token]);
        let expected = if number < 32 { (vec![url], Vec::new()) } else { (Vec::new(), vec![436]) };
        let refused: Vec<_> = said.refused.iter().map(|(status, _)| *status).collect();
        assert_eq!((said.asked, refused), expected);
    }
}

/// The claims of the call to +4930123456 that a call from +12155551212 leads to, if it is signed.
fn signed(trunk: &str, dial: &str) -> Option<Passport> {
    let trunk = format!(
        "{{from: 192.0.2.1, to: \"sip:192.0.2.9\", health: off, numbers: {{country: ES, send: national}}, {trunk}, \
         stir: {{sign: {{key: k.pem, certificate: \"{URL}\", attest: C, numbers: {{\"+34911000100\": A}}}}}}}}"
    );
    let client = format!(
        "client: {{name: Acme, caller_ids: [\"+34911000200\"]}}\nnumbers: {{\"+34911000100\": main}}\n\
         flows: {{main: [{{dial: {{to: {{number: \"+4930123456\", trunk: carrier}}{dial}}}}}]}}\n"
    );
    let mut world = World::serving(&trunk, "", &client);
    let said = world.call(1, &[]);
    let [(field, date)] = &said.signed[..] else { panic!("one INVITE in {said:?}") };
    if field.is_empty() {
        assert_eq!(date, "");
        return None;
    }
    assert_eq!(date, "Mon, 01 Jun 2026 12:00:01 GMT");
    let token = Token::find([&**field].into_iter()).expect("a token");
    assert_eq!(token.url(), URL);
    let certificate =
        Anchors::read(world.roots.as_bytes()).expect("roots").check(world.chain.as_bytes(), NOW);
    let dest = Number::read("4930123456").expect("a number");
    let found = ["+34911000100", "+34911000200", "+12155551212"].into_iter().find_map(|orig| {
        let orig = Number::read(orig).expect("a number");
        let expected = Expected { orig, dest: dest.clone(), now: NOW + 1, max_age: 0 };
        token.verify(certificate.as_ref().expect("a certificate"), &expected).ok()
    });
    assert!(found.is_some(), "it verifies");
    found
}

#[test]
fn rfc8224_4_1_the_node_answers_for_its_calls_by_the_number_that_they_show() {
    let said = |passport: Passport| (passport.orig.to_string(), passport.attestation.as_str());
    let listed = signed("caller_id: {}", "").expect("signed");
    assert_eq!(listed.origin_id, shaken::origin_id(&["test", "carrier"]));
    assert_eq!(said(listed), ("34911000100".into(), "A"));
    let other = signed("caller_id: {}", ", caller_id: \"+34911000200\"").map(said);
    assert_eq!(other, Some(("34911000200".into(), "C")), "not in the list");
    let passed_on = signed("caller_id: {show: caller}", "").map(said);
    assert_eq!(passed_on, Some(("12155551212".into(), "C")));
    assert_eq!(signed("caller_id: {}", ", caller_id: withheld"), None, "nobody is told who calls");
    let asserted = signed("caller_id: {assert: true}", ", caller_id: withheld").map(said);
    assert_eq!(asserted, Some(("34911000100".into(), "A")));
}

#[test]
fn a_caller_whose_call_is_passed_on_is_never_attested_in_full() {
    let sign = dialplan::Sign {
        key: "k.pem".into(),
        certificate: URL.into(),
        attest: Attestation::A,
        numbers: [("12155551212".into(), Attestation::A)].into(),
    };
    let stir = dialplan::TrunkStir { sign: Some(sign), ..dialplan::TrunkStir::default() };
    let trunk = Trunk { stir, ..Trunk::named("carrier") };
    let world = World::new("ignore");
    let (roots, chain) = (&world.roots, &world.chain);
    let certificate = Anchors::read(roots.as_bytes()).expect("roots").check(chain.as_bytes(), NOW);
    let certificate = certificate.expect("a certificate");
    for (is_owned, attestation) in [(true, Attestation::A), (false, Attestation::B)] {
        let call = Outgoing { orig: "+12155551212", is_owned, dest: "+4930123456" };
        let fields = world.switch.core.answer_for("test", &trunk, &call);
        let token = Token::find(fields.iter().map(|(_, value)| &**value).skip(1)).expect("a token");
        let [orig, dest] = [call.orig, call.dest].map(|number| Number::read(number).expect("a number"));
        let expected = Expected { orig, dest, now: NOW, max_age: 60 };
        let passport = token.verify(&certificate, &expected).expect("it verifies");
        assert_eq!(passport.attestation, attestation);
    }
    let name = Outgoing { orig: "alice", is_owned: true, dest: "+4930123456" };
    assert_eq!(world.switch.core.answer_for("test", &trunk, &name), []);
}
