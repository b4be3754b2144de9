//! Certificates in files: whether they are over, and whom they name.

use super::report::Finding;
use crate::tls::read_pem;
use dialplan::{Config, Node};
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::IpAddr;
use std::path::Path;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

/// Renewing takes a while.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
const AREA: &str = "certificate";

/// Looks at the certificates that the node file names; its folder is `home`.
pub(super) fn check(home: &Path, plan: &Config, now: Timestamp) -> Vec<Finding> {
    let node = &plan.node;
    let mut found = Vec::new();
    if let Some(tls) = &node.tls {
        let path = home.join(&*tls.certificate);
        found.push(chain("what listeners show", &path, now));
        found.extend(names(node, &path));
    }
    for trunk in &node.trunks {
        let name = &trunk.name;
        if let Some(tls) = &trunk.tls.identity {
            found.push(chain(
                &format!("{name}: what its servers are shown"),
                &home.join(&*tls.certificate),
                now,
            ));
        }
        if let Some(file) = &trunk.tls.roots {
            found.push(roots(&format!("{name}: who certifies its servers"), &home.join(&**file), now));
        }
    }
    let Some(stir) = &node.stir else { return found };
    found.push(roots("roots of STIR/SHAKEN", &home.join(&*stir.trust), now));
    for (url, file) in &stir.certificates {
        found.push(chain(&format!("STIR/SHAKEN, {url}"), &home.join(&**file), now));
    }
    found
}

/// A chain ends when the first of its certificates does.
fn chain(what: &str, path: &Path, now: Timestamp) -> Finding {
    let ends = with_certificates(path, |certificate| (begin_of(certificate), end_of(certificate)));
    let begins = ends.iter().filter_map(|(begin, _)| *begin).max();
    if let Some(begins) = begins.filter(|begins| *begins > now) {
        let what = format!("{what}: {} begins at {begins} only", path.display());
        return Finding::fault(AREA, what, "is this machine's clock right?");
    }
    match ends.into_iter().filter_map(|(_, end)| end).min() {
        Some(end) => {
            until(&format!("{what}: {}", path.display()), end, now, "renew it, then `ringdown reload`")
        }
        None => unreadable(what, path),
    }
}

/// Roots: others may be enough where some are over.
fn roots(what: &str, path: &Path, now: Timestamp) -> Finding {
    let ends: Vec<_> = with_certificates(path, end_of).into_iter().flatten().collect();
    let Some(last) = ends.iter().max() else { return unreadable(what, path) };
    let over = ends.iter().filter(|end| **end <= now).count();
    let subject = format!("{what}: {}", path.display());
    let advice = "get the present ones of who certifies, then `ringdown reload`";
    if over == 0 || over == ends.len() {
        return until(&subject, *last, now, advice);
    }
    Finding::warning(AREA, format!("{subject}: {over} of {} are over", ends.len()), advice)
}

/// Judges when a certificate ends.
pub(super) fn until(subject: &str, end: Timestamp, now: Timestamp, advice: &str) -> Finding {
    let left = end.duration_since(now);
    let day = end.strftime("%Y-%m-%d");
    if left <= SignedDuration::ZERO {
        Finding::fault(
            AREA,
            format!("{subject} is over since {}", end.strftime("%Y-%m-%d %H:%M UTC")),
            advice,
        )
    } else if left <= SOON {
        let days = left.as_hours() / 24;
        Finding::warning(AREA, format!("{subject} ends in {days} days, {day}"), advice)
    } else {
        Finding::ok(AREA, format!("{subject} holds until {day}"))
    }
}

fn unreadable(what: &str, path: &Path) -> Finding {
    let what = format!("{what}: {} has nothing that can be read as X.509", path.display());
    Finding::fault(AREA, what, "a PEM file begins with -----BEGIN CERTIFICATE-----")
}

/// Phones compare the certificate with the name that they are given: that of the realm, where it is a domain.
fn names(node: &Node, path: &Path) -> Option<Finding> {
    let first = with_certificates(path, names_of).into_iter().next()?;
    let listeners = node.listen.iter().filter(|listen| listen.transport.is_secure());
    let advertised = listeners.map(|it| it.advertise.unwrap_or(it.address).ip().to_string());
    let wanted: Vec<String> = advertised.chain([node.realm.to_string()]).collect();
    let is_named = wanted.iter().any(|wanted| first.iter().any(|name| is_within(name, wanted)));
    if is_named || !node.realm.contains('.') {
        return None;
    }
    let what = format!("{}: it names {}, not {}", path.display(), first.join(", "), wanted.join(" or "));
    Some(Finding::warning(AREA, what, "phones must be given a name that it has as their server"))
}

/// Whether a name of a certificate is the wanted one, or that of a host of that domain.
fn is_within(name: &str, wanted: &str) -> bool {
    let (name, wanted) = (name.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    name == wanted || name.strip_suffix(&wanted).is_some_and(|host| host.ends_with('.'))
}

/// What is read of each certificate in a file; one that is no X.509 has nothing.
fn with_certificates<T>(path: &Path, read: impl Fn(&X509Certificate<'_>) -> T) -> Vec<T> {
    let pem = read_pem(path, "").unwrap_or_default();
    let parsed = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
    parsed.filter_map(|der| Some(read(&x509_parser::parse_x509_certificate(&der).ok()?.1))).collect()
}

fn begin_of(certificate: &X509Certificate<'_>) -> Option<Timestamp> {
    Timestamp::from_second(certificate.validity().not_before.timestamp()).ok()
}

fn end_of(certificate: &X509Certificate<'_>) -> Option<Timestamp> {
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

/// Its DNS names and addresses.
fn names_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let shown = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok().map(|ip| ip.to_string())
        }
        _ => None,
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;
    use rcgen::{CertificateParams, KeyPair};

    /// A self-signed certificate that ends so many days from now.
    fn pem(days: i64, names: &[&str]) -> String {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut made = CertificateParams::new(names).expect("names");
        let end = Timestamp::now() + SignedDuration::from_hours(24 * days);
        let date = jiff::tz::Offset::UTC.to_datetime(end);
        let number = |number: i8| u8::try_from(number).expect("a part of a date");
        made.not_after = rcgen::date_time_ymd(date.year().into(), number(date.month()), number(date.day()));
        made.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate").pem()
    }

    #[test]
    fn a_certificate_that_is_over_is_a_fault_and_one_that_ends_soon_a_warning() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("cert.pem");
        for (days, level) in [(-2, Level::Fault), (7, Level::Warning), (60, Level::Ok)] {
            std::fs::write(&path, pem(days, &["pbx.example"])).expect("written");
            let found = chain("it", &path, Timestamp::now());
            assert_eq!(found.level, level, "{found:?}");
        }
        std::fs::write(&path, "nothing").expect("written");
        assert_eq!(chain("it", &path, Timestamp::now()).level, Level::Fault);
    }

    #[test]
    fn some_roots_may_be_over_and_not_all() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("roots.pem");
        for (days, level) in
            [(&[-2, 60][..], Level::Warning), (&[60, 90], Level::Ok), (&[-2, -3], Level::Fault)]
        {
            let all: String = days.iter().map(|days| pem(*days, &["ca.example"])).collect();
            std::fs::write(&path, all).expect("written");
            assert_eq!(roots("they", &path, Timestamp::now()).level, level, "{days:?}");
        }
    }

    #[test]
    fn a_name_is_that_of_the_domain_or_of_a_host_in_it() {
        for (name, wanted, is) in [
            ("pbx.example", "PBX.example", true),
            ("sip.pbx.example", "pbx.example", true),
            ("*.pbx.example", "pbx.example", true),
            ("otherpbx.example", "pbx.example", false),
            ("pbx.example", "sip.pbx.example", false),
        ] {
            assert_eq!(is_within(name, wanted), is, "{name} {wanted}");
        }
    }
}
