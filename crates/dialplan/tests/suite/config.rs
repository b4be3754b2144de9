//! What a configuration answers to a call and to a phone.

use crate::support::input;
use clock::Duration;
use dialplan::{
    Attestation, Config, Digest, Fetch, Input, Receive, Recordings, Sign, SourceFile, Stir, Transport,
    TrunkStir, load,
};

const NODE: &str = "\
node: {name: madrid-1}
sip: {listen: [{udp: 0.0.0.0:5060, advertise: 203.0.113.9:5060}, 'tcp:[::1]:5060']}
rtp: {ports: 30000-30099, address: 0.0.0.0, advertise: 203.0.113.9, threads: 2}
trunks:
  wide: {from: [10.0.0.0/8]}
  narrow: {from: [10.1.0.0/16, 2001:db8::/32], to: sip:10.1.0.1, limits: {calls: 30, per_second: 5, in: {calls: 10}, out: {per_second: 2}}, client: acme}
  other: {from: [192.0.2.7], client: globex}
clients: [acme, globex]
";

const ACME: &str = "\
numbers: {\"+34 911 000 100\": main, help: other}
users: {alice: {password: secret, name: Alice Archer}, 0100-0199: {password: \"pw{user}\"}}
flows: {main: [hangup], other: [hangup]}
";

fn config() -> Config {
    let mut input: Input = input(NODE, ACME);
    let mut globex = input.clients[0].clone();
    globex.id = "globex".into();
    globex.files = vec![SourceFile {
        path: "globex/globex.yaml".into(),
        text: "client: {name: Globex, language: es}\nnumbers: {200: main}\nflows: {main: [hangup]}\n".into(),
    }];
    input.clients.push(globex);
    load(&input).unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn the_smallest_network_tells_the_trunk() {
    let config = config();
    let name = |ip: &str| config.trunk_for(ip.parse().expect("an address")).map(|t| t.name.to_string());
    assert_eq!(name("10.2.0.1").as_deref(), Some("wide"));
    assert_eq!(name("10.1.0.1").as_deref(), Some("narrow"));
    assert_eq!(name("::ffff:10.1.0.1").as_deref(), Some("narrow"), "IPv4 on a dual-stack socket");
    assert_eq!(name("2001:db8::5").as_deref(), Some("narrow"));
    assert_eq!(name("192.0.2.7").as_deref(), Some("other"));
    assert_eq!(name("192.0.2.8"), None);
}

#[test]
fn a_number_is_found_as_it_is_typed_and_only_by_a_trunk_that_may() {
    let config = config();
    let flow = |trunk: Option<&str>, dialled: &str| {
        let trunk = trunk.and_then(|ip| config.trunk_for(ip.parse().expect("an address")));
        let (client, flow) = config.number(trunk, dialled)?;
        Some(format!("{}/{}", config.client(client).id, config.client(client).flow(flow)))
    };
    for dialled in ["+34911000100", "0034911000100", "34911000100", "+34-911-000-100"] {
        assert_eq!(flow(None, dialled).as_deref(), Some("acme/main"), "{dialled}");
    }
    assert_eq!(flow(None, "help").as_deref(), Some("acme/other"));
    assert_eq!(flow(Some("10.1.0.1"), "help").as_deref(), Some("acme/other"));
    assert_eq!(flow(Some("10.1.0.1"), "200"), None);
    assert_eq!(flow(Some("192.0.2.7"), "200").as_deref(), Some("globex/main"));
    assert_eq!(flow(Some("10.2.0.1"), "200").as_deref(), Some("globex/main"));
    assert_eq!(flow(None, "201"), None);
}

#[test]
fn what_users_may_call_outside_is_no_number_of_ours_and_a_pickup_code_is() {
    let client = "\
client: {features: {pickup: \"*8\"}}
numbers: {\"+34 911 000 100\": main, \"+*\": main, \"9*\": main}
flows: {main: [hangup]}
";
    let config = load(&input(crate::support::NODE, client)).unwrap_or_else(|report| panic!("{report}"));
    let client = config.number(None, "+34911000100").expect("a number").0;
    for outside in ["+442012345678", "00442012345678", "912"] {
        assert!(config.called_by_user(client, outside).is_some(), "{outside}");
        assert!(!config.is_number(outside), "{outside}");
    }
    for ours in ["+34911000100", "0034911000100", "*81001", "*8alice"] {
        assert!(config.is_number(ours), "{ours}");
    }
}

#[test]
fn users_are_found_by_name_and_by_range() {
    let config = config();
    let alice = config.user("alice").expect("alice");
    assert_eq!(alice.display_name.as_deref(), Some("Alice Archer"));
    assert_eq!(alice.password, "secret");
    assert_eq!(config.user("0142").map(|user| user.password), Some("pw0142".to_owned()));
    for stranger in ["Alice", "142", "00142", "0200", "+142", ""] {
        assert_eq!(config.user(stranger), None, "{stranger}");
    }
    assert!(!format!("{alice:?}").contains("secret"));
    assert!(!format!("{config:?}").contains("\"secret\""));
}

#[test]
fn what_is_not_written_has_its_default() {
    let config = config();
    let node = &config.node;
    assert_eq!(node.realm.as_ref(), "madrid-1");
    assert_eq!(node.recordings, Recordings::default());
    assert_eq!((node.limits.calls, node.limits.register_expires.clone()), (10_000, 60..=3_600));
    assert_eq!(node.http, None);
    assert_eq!(node.listen[1].transport, Transport::Tcp);
    assert_eq!(node.rtp.threads, Some(2));
    assert_eq!(config.clients[0].name.as_ref(), "acme");
    assert_eq!(config.clients[0].language.as_ref(), "en");
    assert_eq!(config.clients[1].name.as_ref(), "Globex");
}

#[test]
fn phones_are_challenged_with_md5_alone_unless_the_file_says_otherwise() {
    let digest = |sip: &str| {
        let node = format!(
            "sip: {{listen: [udp:127.0.0.1:5062]{sip}}}\nrtp: {{ports: 30000-30099, address: 127.0.0.1}}\nclients: [acme]\n"
        );
        load(&input(&node, ACME)).unwrap_or_else(|report| panic!("{report}")).node.digest
    };
    assert_eq!(digest(""), [Digest::Md5]);
    assert_eq!(digest(", digest: [sha-256, md5]"), [Digest::Sha256, Digest::Md5]);
}

#[test]
fn who_answers_for_callers_is_told_by_the_node_and_by_each_trunk() {
    let node = "\
sip: {listen: [udp:127.0.0.1:5062]}
rtp: {ports: 30000-30099, address: 127.0.0.1}
stir:
  trust: roots.pem
  certificates: {\"https://certs.example/a.pem\": a.pem}
  fetch: {within: 3s, allow: [10.0.0.0/8], roots: ca.pem}
  max_age: 30s
trunks:
  plain: {from: 192.0.2.1}
  strict:
    from: 192.0.2.2
    to: sip:192.0.2.2
    stir:
      receive: require
      sign: {key: k.pem, certificate: \"https://me.example/k.pem\", attest: B, numbers: {\"+34 911 000 100\": A}}
clients: [acme]
";
    let config = load(&input(node, ACME)).unwrap_or_else(|report| panic!("{report}"));
    let networks = vec!["10.0.0.0/8".parse().expect("a network")];
    let expected = Stir {
        trust: "roots.pem".into(),
        certificates: vec![("https://certs.example/a.pem".into(), "a.pem".into())],
        fetch: Some(Fetch { within: Duration::from_secs(3), allow: networks, roots: Some("ca.pem".into()) }),
        max_age: Duration::from_secs(30),
    };
    assert_eq!(config.node.stir, Some(expected));
    assert_eq!(config.trunk("plain").map(|it| &it.stir), Some(&TrunkStir::default()));
    let strict = &config.trunk("strict").expect("there").stir;
    assert_eq!(strict.receive, Receive::Require);
    let sign = strict.sign.as_ref().expect("it signs");
    assert_eq!((&*sign.key, &*sign.certificate), ("k.pem", "https://me.example/k.pem"));
    let attestation =
        |sign: &Sign, number| sign.attestation(&shaken::Number::read(number).expect("a number"));
    assert_eq!(attestation(sign, "+34911000100"), Attestation::A);
    assert_eq!(attestation(sign, "+34911000101"), Attestation::B);
    for (fetch, expected) in [("", Some(Fetch::default())), (", fetch: off", None)] {
        let node = format!(
            "sip: {{listen: [udp:127.0.0.1:5062]}}\nrtp: {{ports: 30000-30099, address: 127.0.0.1}}\n\
             stir: {{trust: roots.pem{fetch}}}\nclients: [acme]\n"
        );
        let config = load(&input(&node, ACME)).unwrap_or_else(|report| panic!("{report}"));
        assert_eq!(config.node.stir.map(|stir| (stir.fetch, stir.max_age.as_secs())), Some((expected, 60)));
    }
}
