//! A month that was counted by hand, its borders, and what holds of every month.

use billing::{
    Biller, Call, Calls, Currency, Deduction, Draft, Each, Kind, Line, Money, Month, Penalty, Rate, Rates,
    Shares, Tariff, Way,
};
use events::ContactId;
use figures::{Level, Levels, Millis, Outcome, Stage, Visit};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

fn money(text: &str) -> Money {
    text.parse().expect(text)
}

fn at(text: &str) -> Millis {
    text.parse::<Timestamp>().expect(text).as_millisecond()
}

fn madrid() -> TimeZone {
    TimeZone::get("Europe/Madrid").expect("a zone")
}

fn october() -> Month {
    "2026-10".parse().expect("a month")
}

fn rate(minute: &str, connect: &str, minimum: &str, (first, next): (u32, u32)) -> Rate {
    Rate { minute: money(minute), connect: money(connect), minimum: money(minimum), first, next }
}

fn tariff() -> Tariff {
    let each = |price: &str, cost: &str| Each { price: money(price), cost: money(cost) };
    let second = (1, 1);
    let rates = |price, cost| Rates { price, cost };
    let penalty = |queue: &str, deduction| Penalty {
        queue: queue.into(),
        formula: None,
        within: None,
        target: None,
        deduction,
    };
    Tariff {
        currency: Currency::named("EUR").expect("a currency"),
        inbound: Some(Calls {
            usual: Some(rates(rate("0.02", "0", "0", second), rate("0.008", "0", "0", second))),
            of: [("+34900100200".into(), rates(rate("0.05", "0.10", "0.12", (60, 60)), Rate::default()))]
                .into(),
        }),
        outbound: Some(Calls {
            usual: None,
            of: [
                ("+34".into(), rates(rate("0.03", "0", "0", (30, 6)), rate("0.01", "0", "0", second))),
                ("+346".into(), rates(rate("0.09", "0", "0", second), rate("0.04", "0", "0", second))),
            ]
            .into(),
        }),
        handled: [("support".into(), each("1.205", "0.40"))].into(),
        hour: Some(each("28.50", "17")),
        sales: [("sold".into(), each("15", "2"))].into(),
        penalties: vec![
            penalty("support", Deduction::Share(500)),
            penalty("sales", Deduction::Amount(money("200"))),
        ],
    }
}

fn call(contact: u64, way: Way, number: &str, at: Millis, millis: u64) -> Call {
    Call { contact: ContactId(contact), way, number: number.into(), at, millis }
}

/// One that an agent has had after `waited`, for a minute; nobody has without one.
fn visit(
    contact: u64,
    client: &str,
    queue: &str,
    arrived: Millis,
    (waited, agent): (u64, Option<&str>),
) -> Visit {
    let outcome = agent.map_or(Outcome::Abandoned, |agent| Outcome::Answered(agent.into()));
    let stages = match agent {
        Some(_) => {
            vec![(Stage::Talk, waited), (Stage::WrapUp, waited + 50_000), (Stage::End, waited + 60_000)]
        }
        None => Vec::new(),
    };
    Visit {
        id: contact,
        contact: ContactId(contact),
        is_first: true,
        is_callback: false,
        client: client.into(),
        queue: Some(queue.into()),
        number: "+34911000100".into(),
        trunk: Some("carrier".into()),
        caller: "+34600000001".into(),
        arrived,
        waited_before: 0,
        left: Some(waited),
        outcome,
        is_transferred: false,
        ended_by: None,
        offers: Vec::new(),
        stages,
    }
}

fn line<'d>(draft: &'d Draft, kind: Kind, of: &str) -> &'d Line {
    let found = draft.lines.iter().find(|line| line.kind == kind && *line.of == *of);
    found.unwrap_or_else(|| panic!("no line {kind:?} {of} in {draft:#?}"))
}

fn contacts(line: &Line) -> Vec<u64> {
    line.items.iter().filter_map(|item| item.contact).map(|contact| contact.0).collect()
}

/// October 2026 of a client in Madrid.
fn october_by_hand() -> Draft {
    let (tariff, zone) = (tariff(), madrid());
    let mut levels = Levels::default();
    levels.insert("acme".into(), "support".into(), Level { within: 20_000, target: 0.8, ..Level::default() });
    let mut biller = Biller::new("acme", &tariff, (october(), &zone), &levels);
    let noon = at("2026-10-15T10:00:00Z");
    for call in [
        // 61.2 s are 62 at 0.02: 0.020667; cost at 0.008: 0.008267.
        call(1, Way::Inbound, "+34911000100", noon, 61_200),
        // 30 s are a minute: 0.10 + 0.05.
        call(2, Way::Inbound, "34900100200", noon + 1, 30_000),
        // 61 s are two: 0.10 + 0.10.
        call(3, Way::Inbound, "+34900100200", noon + 2, 61_000),
        // 33 s are 36 at 0.03: 0.018; cost of 33: 0.0055.
        call(4, Way::Outbound, "+34911000200", noon + 3, 33_000),
        // 100 s at 0.09: 0.15; cost 0.066667.
        call(5, Way::Outbound, "+34600111222", noon + 4, 100_000),
        // Nothing is agreed of Germany.
        call(6, Way::Outbound, "+4930123456", noon + 5, 10_000),
        // The clock in Madrid says November.
        call(7, Way::Outbound, "+34600111222", at("2026-10-31T23:00:00Z"), 60_000),
    ] {
        biller.call(&call);
    }
    for visit in [
        visit(1, "acme", "support", noon, (10_000, Some("alice"))),
        visit(2, "acme", "support", noon + 1, (30_000, Some("bob"))),
        visit(8, "acme", "support", noon + 2, (30_000, None)),
        visit(9, "acme", "sales", noon + 3, (5_000, Some("alice"))),
        visit(10, "other", "support", noon + 4, (5_000, Some("alice"))),
        visit(11, "acme", "support", at("2026-09-30T21:59:59.999Z"), (5_000, Some("alice"))),
    ] {
        biller.visit(&visit);
    }
    // 7 h 30 min: 213.75; cost 127.50.
    biller.hours(&"alice".into(), 27_000_000);
    biller.sale(ContactId(1), noon, "sold", &"alice".into());
    biller.sale(ContactId(2), noon, "not interested", &"bob".into());
    biller.draft()
}

#[test]
fn a_month_is_to_the_cent_what_was_counted_by_hand() {
    let draft = october_by_hand();
    let by_hand = [
        (Kind::Inbound, "other numbers", 62, "0.02", "0.01", &[1][..]),
        (Kind::Inbound, "+34900100200", 180, "0.35", "0.00", &[2, 3]),
        (Kind::Outbound, "+34", 36, "0.02", "0.01", &[4]),
        (Kind::Outbound, "+346", 100, "0.15", "0.07", &[5]),
        // Two at 1.205.
        (Kind::Handled, "support", 2, "2.41", "0.80", &[1, 2]),
        (Kind::Hours, "agents logged in", 27_000_000, "213.75", "127.50", &[]),
        (Kind::Sales, "sold", 1, "15.00", "2.00", &[1]),
        // One of three in 20 s: 5 % of 231.70 is 11.585. Whom it was too late for stands behind it.
        (Kind::Penalty, "support", 2, "-11.59", "0.00", &[2, 8]),
    ];
    assert_eq!(draft.lines.len(), by_hand.len(), "sales has kept its level: {:#?}", draft.lines);
    for (kind, of, quantity, amount, cost, behind) in by_hand {
        let line = line(&draft, kind, of);
        assert_eq!((line.quantity, line.amount.text(2).as_str()), (quantity, amount), "{kind:?} {of}");
        assert_eq!(line.cost.map(|cost| cost.text(2)).as_deref(), Some(cost), "{kind:?} {of}");
        assert_eq!(contacts(line), behind, "{kind:?} {of}");
    }
    assert_eq!(draft.total.text(2), "220.11");
    assert_eq!(draft.cost.expect("known").text(2), "130.39");
    assert_eq!(draft.margin().expect("known").text(2), "89.72");
    assert_eq!(draft.unpriced, [ContactId(6)]);
    let why = line(&draft, Kind::Penalty, "support").why.clone().expect("a reason");
    assert_eq!(why, "33.3 % answered within 20 s (neutral: A_t / (A + B - B_t)), 80.0 % agreed");
}

#[test]
fn a_client_is_not_told_what_anything_costs() {
    let draft = october_by_hand().for_client();
    let text = format!("{draft:?}");
    assert!(draft.cost.is_none() && draft.margin().is_none() && !text.contains("cost: Some"), "{text}");
    assert_eq!(draft.total.text(2), "220.11");
}

#[test]
fn a_month_begins_and_ends_at_midnight_of_the_client() {
    let (tariff, zone) = (tariff(), madrid());
    let mut biller = Biller::new("acme", &tariff, (october(), &zone), &Levels::default());
    for (contact, moment) in [
        (1, "2026-09-30T21:59:59.999Z"),
        (2, "2026-09-30T22:00:00Z"),
        // The hour that the clock shows twice: both are of the month.
        (3, "2026-10-25T00:30:00Z"),
        (4, "2026-10-25T01:30:00Z"),
        (5, "2026-10-31T22:59:59.999Z"),
        (6, "2026-10-31T23:00:00Z"),
    ] {
        biller.call(&call(contact, Way::Inbound, "+34911000100", at(moment), 60_000));
        biller.visit(&visit(contact, "acme", "support", at(moment), (0, Some("alice"))));
        biller.sale(ContactId(contact), at(moment), "sold", &"alice".into());
    }
    let draft = biller.draft();
    for (kind, of) in [(Kind::Inbound, "other numbers"), (Kind::Handled, "support"), (Kind::Sales, "sold")] {
        assert_eq!(contacts(line(&draft, kind, of)), [2, 3, 4, 5]);
    }
}

#[test]
fn hours_are_shared_as_agents_were_busy_and_equally_where_they_were_not() {
    let mut shares = Shares::default();
    shares.visit(&visit(1, "acme", "support", 0, (0, Some("alice"))));
    shares.visit(&visit(2, "acme", "support", 0, (0, Some("alice"))));
    shares.visit(&visit(3, "bank", "cards", 0, (0, Some("alice"))));
    let serves: Vec<Arc<str>> = vec!["acme".into(), "bank".into(), "shop".into()];
    let of = |agent: &str, client: &str| shares.of(agent, client, 100, &serves);
    assert_eq!((of("alice", "acme"), of("alice", "bank"), of("alice", "shop")), (66, 34, 0));
    assert_eq!((of("bob", "acme"), of("bob", "bank"), of("bob", "shop")), (33, 33, 34));
    assert_eq!(shares.of("carol", "acme", 100, &[]), 0, "who serves nobody is nobody's");
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let numbers = ["+34911000100", "+34900100200", "+34600111222", "+4930123456", "112"];
    let (first, last) = (at("2026-09-30T20:00:00Z"), at("2026-11-01T02:00:00Z"));
    let any_call = (any::<bool>(), prop::sample::select(numbers.to_vec()), first..last, 0..4_000_000_u64);
    prop::collection::vec(any_call, 0..60).prop_map(|all| {
        let one = |(contact, (is_in, number, at, millis)): (usize, (bool, &str, Millis, u64))| {
            let way = if is_in { Way::Inbound } else { Way::Outbound };
            call(contact as u64, way, number, at, millis)
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

proptest! {
    #[test]
    fn lines_come_to_the_total_and_each_call_of_the_month_is_in_one(calls in calls()) {
        let (tariff, zone) = (tariff(), madrid());
        let mut biller = Biller::new("acme", &tariff, (october(), &zone), &Levels::default());
        calls.iter().for_each(|call| biller.call(call));
        let period = biller.period();
        let draft = biller.draft();
        prop_assert_eq!(draft.lines.iter().map(|line| line.amount).sum::<Money>(), draft.total);
        prop_assert_eq!(draft.lines.iter().filter_map(|line| line.cost).sum::<Money>(), draft.cost.expect("known"));
        let mut found: BTreeMap<u64, usize> = BTreeMap::new();
        for line in &draft.lines {
            let sum: Money = line.items.iter().map(|item| item.amount).sum();
            prop_assert_eq!(sum.rounded(2), line.amount);
            prop_assert_eq!(line.items.iter().map(|item| item.quantity).sum::<u64>(), line.quantity);
            prop_assert_eq!(line.count, line.items.len());
            contacts(line).into_iter().for_each(|contact| *found.entry(contact).or_default() += 1);
        }
        draft.unpriced.iter().for_each(|contact| *found.entry(contact.0).or_default() += 1);
        for call in &calls {
            let is_of_month = (period.0..period.1).contains(&call.at);
            prop_assert_eq!(found.get(&call.contact.0).copied(), is_of_month.then_some(1), "{:?}", call);
        }
    }

    #[test]
    fn shares_of_all_clients_are_the_whole(
        handled in prop::collection::vec((0..4_usize, 0..100_000_u64), 0..12),
        millis in any::<u32>(),
        serves in 1..4_usize,
    ) {
        let clients: Vec<Arc<str>> = ["acme", "bank", "shop", "taxi"].map(Arc::from).to_vec();
        let mut shares = Shares::default();
        for (client, talk) in handled {
            let talked = visit(1, &clients[client], "queue", 0, (0, Some("alice")));
            shares.visit(&Visit { stages: vec![(Stage::Talk, 0), (Stage::End, talk)], ..talked });
        }
        let shared = clients.iter().map(|client| shares.of("alice", client, millis.into(), &clients[..serves]));
        prop_assert_eq!(shared.sum::<u64>(), u64::from(millis));
    }
}
