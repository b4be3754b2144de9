//! A node that listens for TLS, and how long its certificate is good for.

use crate::running::{Files, free, until};
use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::Signal;
use rcgen::{CertificateParams, KeyPair};
use std::fs;

/// The files of a node whose certificate ends so many days from now.
fn ending_in(days: i64) -> Files {
    let files = Files::new();
    let listen =
        format!("sip: {{tls: {{certificate: cert.pem, key: key.pem}}, listen: [\"tls:{}\", ", free());
    files.edit("ringdown.yaml", "sip: {listen: [", &listen);
    certify(&files, days);
    files
}

/// Writes a certificate that ends so many days from now, at midnight.
fn certify(files: &Files, days: i64) {
    let end = Timestamp::now() + SignedDuration::from_hours(24 * days);
    let date = jiff::tz::Offset::UTC.to_datetime(end);
    let number = |number: i8| u8::try_from(number).expect("a part of a date");
    let mut params = CertificateParams::new(["pbx.example".to_owned()]).expect("a name");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(date.year().into(), number(date.month()), number(date.day()));
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    fs::write(files.home.path().join("cert.pem"), certificate).expect("written");
    fs::write(files.home.path().join("key.pem"), key.serialize_pem()).expect("written");
}

/// What the node has said of its certificate.
fn said(files: &Files) -> Vec<String> {
    let all = files.stderr();
    all.lines().filter(|line| line.contains("certificate")).map(str::to_owned).collect()
}

#[test]
fn an_alarm_tells_at_the_start_that_the_certificate_ends_soon_or_is_over() {
    for (days, wanted) in [(-2, "the certificate is over since "), (6, "the certificate ends on ")] {
        let files = ending_in(days);
        let mut node = files.serve();
        until(wanted, || said(&files).iter().any(|line| line.contains(wanted)).then_some(()));
        node.signal(Signal::SIGTERM);
        assert!(node.wait().success());
        let said = said(&files);
        assert!(said.len() == 1 && said[0].contains("WARN cert.pem: "), "once: {said:?}");
    }
}

#[test]
fn an_alarm_tells_at_a_reload_that_the_certificate_ends_soon() {
    let files = ending_in(60);
    let _node = files.serve();
    for (days, told) in [(60, 0), (6, 1), (60, 1), (6, 2)] {
        certify(&files, days);
        let reload = files.run(&["reload"]);
        assert!(reload.status.success(), "{reload:?}");
        assert_eq!(said(&files).len(), told, "{:?}", said(&files));
    }
}
