use super::*;
use proptest::prelude::*;

fn numbering(country: &str, receive: Bare, send: Format) -> Numbering {
    let country = Country::find(country).expect("a country");
    Numbering { country, receive, strip: Vec::new(), send, prefix: "".into() }
}

#[test]
fn a_number_becomes_e164_however_a_carrier_writes_it() {
    for (country, written, e164) in [
        ("ES", "+34911000100", "+34911000100"),
        ("ES", "34911000100", "+34911000100"),
        ("ES", "0034911000100", "+34911000100"),
        ("ES", "911000100", "+34911000100"),
        ("ES", "+34 911-000.100", "+34911000100"),
        ("ES", "442079460000", "+442079460000"),
        ("DE", "030123456", "+4930123456"),
        ("DE", "015112345678", "+4915112345678"),
        ("DE", "001 555 010 0100", "+15550100100"),
        ("US", "5550100100", "+15550100100"),
        ("US", "15550100100", "+15550100100"),
        ("US", "01134911000100", "+34911000100"),
        ("AU", "0011 34911000100", "+34911000100"),
        ("HU", "0612345678", "+3612345678"),
        ("IT", "0612345678", "+390612345678"),
    ] {
        assert_eq!(
            numbering(country, Bare::E164, Format::E164).inbound(written),
            e164,
            "{country} {written}"
        );
    }
}

#[test]
fn names_and_extensions_stay_as_they_are() {
    for written in ["sales-desk", "alice", "100", "1000", "112", "anonymous", "", "+", "00", "*97", "+1234"] {
        for format in [Format::E164, Format::PlusE164, Format::National, Format::International] {
            let numbering = numbering("ES", Bare::E164, format);
            assert_eq!(
                (numbering.inbound(written), numbering.called(written)),
                (written.into(), written.into())
            );
        }
    }
}

#[test]
fn what_a_trunk_was_sent_is_the_number_that_was_called() {
    for format in [Format::E164, Format::PlusE164, Format::National, Format::International] {
        for (country, called) in
            [("DE", "+4930123456"), ("DE", "+34911000100"), ("ES", "+34600111222"), ("US", "+15550100100")]
        {
            let numbering = Numbering { prefix: "1234#".into(), ..numbering(country, Bare::E164, format) };
            assert_eq!(numbering.sent(&numbering.called(called)), called, "{country} {format:?}");
        }
    }
    let numbering = numbering("ES", Bare::E164, Format::National);
    assert_eq!((numbering.sent("112"), numbering.sent("alice")), ("112".to_owned(), "alice".to_owned()));
}

#[test]
fn a_trunk_gets_numbers_as_it_wants_them() {
    for (format, own, foreign) in [
        (Format::E164, "4930123456", "34911000100"),
        (Format::PlusE164, "+4930123456", "+34911000100"),
        (Format::National, "030123456", "0034911000100"),
        (Format::International, "004930123456", "0034911000100"),
    ] {
        let numbering = numbering("DE", Bare::E164, format);
        assert_eq!((&*numbering.called("+4930123456"), &*numbering.called("+34911000100")), (own, foreign));
        assert_eq!(numbering.called("030123456"), own, "a number of the dialplan may be national");
    }
}

#[test]
fn what_a_trunk_puts_before_numbers_is_taken_off_and_what_it_wants_there_is_put_on() {
    let mut numbering = numbering("ES", Bare::E164, Format::E164);
    numbering.prefix = "1234#".into();
    numbering.strip = vec!["9".into(), "99".into()];
    assert_eq!(numbering.called("+34911000100"), "1234%2334911000100");
    assert_eq!(numbering.called("112"), "1234%23112");
    assert_eq!(numbering.called("alice"), "alice");
    assert_eq!(numbering.calling("+34911000100"), "34911000100", "a caller is no route");
    assert_eq!(numbering.inbound("9934911000100"), "+34911000100", "the longest one");
    assert_eq!(numbering.inbound("1234#34911000100"), "+34911000100");
    assert_eq!(numbering.inbound("99"), "99");
}

#[test]
fn every_country_is_there_once() {
    for (place, country) in COUNTRIES.iter().enumerate() {
        assert!(COUNTRIES[place + 1..].iter().all(|other| other.name != country.name), "{country:?}");
        assert!(country.code.len() + country.length.end() <= LONGEST_E164, "{country:?}");
    }
}

/// Numbers that are written without `+` or prefix are of the kind that the format says.
fn bare(send: Format) -> Bare {
    if send == Format::National { Bare::National } else { Bare::E164 }
}

fn formats() -> impl Strategy<Value = Format> {
    prop::sample::select(vec![Format::E164, Format::PlusE164, Format::National, Format::International])
}

proptest! {
    #[test]
    fn a_number_of_the_country_comes_back_as_it_was_sent(
        country in prop::sample::select(COUNTRIES.iter().collect::<Vec<_>>()),
        send in formats(),
        digits in "[1-9][0-9]{12}",
        more in 0_usize..8,
        prefix in "([0-9]{2,4}[#*])?",
    ) {
        let length = (country.length.start() + more).min(*country.length.end());
        let national = &digits[..length];
        // No plan has such numbers: they would be read as another country's.
        prop_assume!(!format!("{}{national}", country.trunk).starts_with(country.international));
        prop_assume!(country.trunk.is_empty() || !national.starts_with(country.trunk));
        let numbering = Numbering { prefix: prefix.into(), ..numbering(country.name, bare(send), send) };
        let e164 = format!("+{}{national}", country.code);
        let sent = numbering.called(&e164).replace("%23", "#");
        prop_assert_eq!(numbering.inbound(&sent), e164, "{}", sent);
    }

    #[test]
    fn a_number_of_another_country_comes_back_where_it_has_plus_or_prefix(
        country in prop::sample::select(COUNTRIES.iter().collect::<Vec<_>>()),
        send in prop::sample::select(vec![Format::PlusE164, Format::National, Format::International]),
        digits in "[1-9][0-9]{12,14}",
    ) {
        let own = digits.strip_prefix(country.code);
        prop_assume!(own.is_none_or(|rest| !country.length.contains(&rest.len())));
        let numbering = numbering(country.name, bare(send), send);
        let e164 = format!("+{digits}");
        prop_assert_eq!(numbering.inbound(&numbering.called(&e164)), e164);
    }

    #[test]
    fn e164_is_left_alone_and_nothing_makes_it_panic(
        country in prop::sample::select(COUNTRIES.iter().collect::<Vec<_>>()),
        send in formats(),
        text in "\\PC{0,20}",
        number in "[0-9*#+]{0,20}",
    ) {
        let numbering = numbering(country.name, Bare::E164, send);
        for text in [text, number] {
            let once = numbering.inbound(&text);
            if once.starts_with('+') {
                prop_assert_eq!(numbering.inbound(&once), once.clone());
            }
            let _ = numbering.called(&text);
        }
    }
}
