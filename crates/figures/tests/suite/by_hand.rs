use crate::world::{BEGAN, Log};
use events::{AgentActivity, CallbackOutcome, EndedBy, Kind, OfferOutcome, QueueOutcome, TransferOutcome};
use figures::{Axis, Counter, Every, Formula, Grid, Level, Levels, Report, Selection, Stage, Tally, figure};
use jiff::tz::TimeZone;

const MINUTE: u64 = 60_000;

/// A morning of one queue: alice takes two of seven, bob lets one ring.
fn morning() -> Log {
    let mut log = Log::new();
    log.agent("alice", AgentActivity::Ready);
    log.agent("bob", AgentActivity::Ready);
    // 1: bob misses it, alice answers after 30 s, holds for 10 of 70 s, writes up for 20 s.
    log.contact(1);
    log.enters(1, "support");
    log.offered(1, "support", "bob");
    log.pass(20_000);
    log.offer_ended(1, "bob", OfferOutcome::NoAnswer);
    log.agent("bob", AgentActivity::Paused("no answer".into()));
    log.pass(4_000);
    log.offered(1, "support", "alice");
    log.pass(6_000);
    log.answered(1, "support", "alice");
    log.pass(20_000);
    log.held(1, true);
    log.pass(10_000);
    log.held(1, false);
    // 2 gives up after 3 s, 3 after 15 s, 4 after 25 s, while alice talks.
    for (contact, waits) in [(2, 3_000), (3, 15_000), (4, 12_000)] {
        log.contact(contact);
        log.enters(contact, "support");
        log.pass(waits);
        log.left(contact, "support", QueueOutcome::Abandoned);
        log.ended(contact);
    }
    log.pass(10_000);
    log.leg_ended(1, EndedBy::Caller);
    log.agent("alice", AgentActivity::WrapUp);
    log.ended(1);
    log.pass(20_000);
    log.agent("alice", AgentActivity::Ready);
    // 5 presses a key after 8 s; 6 is answered after 12 s and handed on; 7 waits.
    log.contact(5);
    log.enters(5, "support");
    log.pass(8_000);
    log.left(5, "support", QueueOutcome::Flow);
    log.ended(5);
    log.contact(6);
    log.enters(6, "support");
    log.offered(6, "support", "alice");
    log.pass(12_000);
    log.answered(6, "support", "alice");
    log.pass(30_000);
    log.hands_on(6, TransferOutcome::Done);
    log.leg_ended(6, EndedBy::Switch);
    log.agent("alice", AgentActivity::Ready);
    log.contact(7);
    log.enters(7, "support");
    log.pass(5_000);
    log
}

fn selection(log: &Log, axis: Axis, every: Option<Every>) -> Selection {
    let (from, now) = (BEGAN / 1_000, log.unix());
    let grid = Grid { zone: TimeZone::UTC, every };
    Selection { axis, name: None, client: None, from, to: now + 1, now, grid }
}

fn report(log: &Log, axis: Axis, every: Option<Every>, level: Level) -> Report {
    let mut levels = Levels::default();
    levels.usual = level;
    let selection = selection(log, axis, every);
    let mut counter = Counter::new(&selection, &levels);
    log.visits.values().for_each(|visit| counter.visit(visit));
    log.timelines.iter().for_each(|(agent, timeline)| counter.timeline(agent, timeline));
    counter.report()
}

fn value(tally: &Tally, name: &str) -> Option<f64> {
    (figure(name).unwrap_or_else(|| panic!("no figure {name}")).value)(tally)
}

#[test]
fn a_morning_is_what_was_counted_by_hand() {
    let level = Level { within: 20_000, short_abandon: 5_000, ..Level::default() };
    let report = report(&morning(), Axis::Queues, None, level);
    let [row] = &report.rows[..] else { panic!("{report:?}") };
    assert_eq!(&*row.name, "acme/support");
    let by_hand = [
        ("contacts", 7.0),
        ("offered", 7.0),
        ("answered", 2.0),
        ("abandoned", 2.0),
        ("short_abandoned", 1.0),
        ("key", 1.0),
        ("flow_out", 1.0),
        ("waiting", 1.0),
        // One of two was answered within 20 s; of those who gave up, both waited less: 15 and 12 s.
        ("sl_answered", 1.0 / 2.0),
        ("sl_strict", 1.0 / 4.0),
        ("sl_neutral", 1.0 / 2.0),
        ("sl_credit", 3.0 / 4.0),
        ("sl_genesys", 1.0 / 5.0),
        ("sl_legal_es", 2.0 / 6.0),
        ("asa", (30.0 + 12.0) / 2.0),
        ("abandon_wait", (15.0 + 12.0) / 2.0),
        ("longest_wait", 30.0),
        ("abandonment", 2.0 / 5.0),
        ("handled", 2.0),
        ("talk", (60.0 + 30.0) / 2.0),
        ("hold", 10.0 / 2.0),
        ("wrap_up", 20.0 / 2.0),
        ("aht", 120.0 / 2.0),
        ("transferred", 1.0),
        ("offers", 3.0),
        ("missed", 1.0),
        ("non_response", 1.0 / 3.0),
        ("ring", (6.0 + 12.0) / 2.0),
    ];
    for (name, expected) in by_hand {
        assert_eq!(value(&row.tally, name), Some(expected), "{name}");
    }
    assert_eq!(value(&row.tally, "occupancy"), None, "a queue has no agents' time");
}

/// 1 is called back in vain once, then reached, and alice has it; 2 is given up; 3 calls again itself; 4 is still to be called
/// after a crash; 5 is reached, and hangs up before bob has it.
fn callbacks() -> Log {
    let mut log = Log::new();
    log.agent("alice", AgentActivity::Ready);
    let entered = log.now;
    for contact in 1..=5 {
        log.contact(contact);
        log.enters(contact, "support");
    }
    log.pass(30_000);
    for contact in 1..=5 {
        log.asks_for_a_callback(contact, "support", entered);
    }
    log.pass(60_000);
    log.tries_to_call_back(1, "alice", 11);
    log.fails_to_call_back(1, 11);
    for by in [12, 13] {
        log.tries_to_call_back(2, "alice", by);
        log.fails_to_call_back(2, by);
    }
    log.callback_ended(2, CallbackOutcome::NotReached);
    log.callback_ended(3, CallbackOutcome::CalledAgain);
    log.crashes(&["alice"]);
    log.pass(10_000);
    log.starts();
    log.agent("alice", AgentActivity::Ready);
    log.tries_to_call_back(1, "alice", 14);
    log.pass(20_000);
    log.is_called_back(1, 14, "support", entered);
    log.offered(14, "support", "alice");
    log.pass(2_000);
    log.answered(14, "support", "alice");
    log.pass(60_000);
    log.leg_ended(14, EndedBy::Caller);
    log.agent("alice", AgentActivity::WrapUp);
    log.ended(14);
    log.pass(20_000);
    log.agent("alice", AgentActivity::Ready);
    log.tries_to_call_back(5, "bob", 15);
    log.is_called_back(5, 15, "support", entered);
    log.left(15, "support", QueueOutcome::Abandoned);
    log.ended(15);
    log
}

#[test]
fn callbacks_are_counted_apart_from_callers() {
    let log = callbacks();
    let queues = report(&log, Axis::Queues, None, Level::default());
    let [row] = &queues.rows[..] else { panic!("{queues:?}") };
    let by_hand = [
        // Five callers, who all left by a key.
        ("contacts", Some(5.0)),
        ("offered", Some(5.0)),
        ("answered", Some(0.0)),
        ("abandoned", Some(0.0)),
        ("key", Some(5.0)),
        ("asa", None),
        ("sl_strict", None),
        ("longest_wait", Some(30.0)),
        ("callbacks_asked", Some(5.0)),
        ("callbacks_reached", Some(2.0)),
        ("callbacks_given_up", Some(1.0)),
        ("callbacks_called_again", Some(1.0)),
        ("callbacks_open", Some(1.0)),
        ("callbacks_tried", Some(5.0)),
        ("callbacks_failed", Some(3.0)),
        ("callbacks_done", Some(1.0)),
        ("callbacks_lost", Some(1.0)),
        // 1 waited 30, 60, 10 and 20 s, 5 besides for 2, 60 and 20 s.
        ("callback_wait", Some((120.0 + 202.0) / 2.0)),
        ("handled", Some(1.0)),
        ("aht", Some(80.0)),
    ];
    for (name, expected) in by_hand {
        assert_eq!(value(&row.tally, name), expected, "{name}");
    }
    let agents = report(&log, Axis::Agents, None, Level::default());
    let alice = &agents.rows[0].tally;
    assert_eq!(
        (value(alice, "accepted"), value(alice, "handled"), value(alice, "answered")),
        (Some(1.0), Some(1.0), Some(0.0))
    );
    assert_eq!((value(alice, "callbacks_done"), value(alice, "aht")), (Some(1.0), Some(80.0)));
}

#[test]
fn callbacks_list_those_who_asked_and_those_who_were_called() {
    let log = callbacks();
    let (selection, level) = (selection(&log, Axis::Queues, None), Level::default());
    let behind = |name: &str| -> Vec<u64> {
        let figure = figure(name).expect(name);
        let visits = log.visits.values();
        let listed = visits.filter(|visit| figure.is_behind(&selection.single(visit, &level)));
        listed.map(|visit| visit.contact.0).collect()
    };
    assert_eq!(behind("callbacks_asked"), [1, 2, 3, 4, 5]);
    assert_eq!((behind("callbacks_reached"), behind("callbacks_done")), (vec![1, 5], vec![14]));
    assert_eq!((behind("callbacks_failed"), behind("callbacks_given_up")), (vec![1, 2], vec![2]));
    assert_eq!((behind("callbacks_open"), behind("callbacks_lost")), (vec![4], vec![15]));
    assert_eq!(behind("answered"), [0; 0], "what is called back was not answered as a caller");
}

#[test]
fn agents_have_their_time_and_their_offers() {
    let report = report(&morning(), Axis::Agents, None, Level::default());
    let [alice, bob] = &report.rows[..] else { panic!("{report:?}") };
    // 30 s until her first talk, of which she rang for 6; 70 s of talk; 20 s of wrap-up; then ringing 12 of 20, 30, and 5.
    let time = alice.tally.time.clone().expect("time");
    assert_eq!((time.ringing, time.talking, time.holding, time.wrap_up), (18_000, 90_000, 10_000, 20_000));
    assert_eq!((time.ready, time.logged_in()), (24_000 + 8_000 + 5_000, 175_000));
    assert_eq!(value(&alice.tally, "occupancy"), Some(120.0 / 175.0));
    assert_eq!((value(&alice.tally, "non_response"), value(&alice.tally, "aht")), (Some(0.0), Some(60.0)));
    assert_eq!((value(&bob.tally, "missed"), value(&bob.tally, "non_response")), (Some(1.0), Some(1.0)));
    assert_eq!(value(&bob.tally, "aht"), None, "a mean of no calls is nothing");
    assert_eq!(bob.tally.time.as_ref().expect("time").paused.get("no answer"), Some(&155_000));
    assert_eq!(value(&bob.tally, "occupancy"), Some(0.0), "bob was ready and had nothing to do");
}

#[test]
fn a_contact_belongs_to_the_interval_of_its_arrival_and_agents_time_is_cut() {
    let mut log = Log::new();
    log.agent("alice", AgentActivity::Ready);
    log.pass(14 * MINUTE + 50_000);
    log.contact(1);
    log.enters(1, "support");
    log.offered(1, "support", "alice");
    log.pass(30_000);
    log.answered(1, "support", "alice");
    log.pass(10 * MINUTE);
    log.agent("alice", AgentActivity::Ready);
    log.pass(10 * MINUTE);
    let queues = report(&log, Axis::Queues, Some(Every::Minutes15), Level::default());
    assert_eq!(queues.rows.len(), 1);
    assert_eq!((queues.rows[0].from, queues.rows[0].tally.answered), (BEGAN / 1_000, 1));
    let agents = report(&log, Axis::Agents, Some(Every::Minutes15), Level::default());
    let ringing: Vec<_> =
        agents.rows.iter().map(|row| row.tally.time.as_ref().expect("time").ringing).collect();
    assert_eq!(ringing, [10_000, 20_000, 0]);
    let logged_in = agents.rows.iter().map(|row| row.tally.time.as_ref().expect("time").logged_in());
    assert_eq!(logged_in.collect::<Vec<_>>(), [15 * MINUTE, 15 * MINUTE, 5 * MINUTE + 20_000]);
}

#[test]
fn what_was_open_when_the_node_was_killed_ends_at_the_last_moment_that_is_known() {
    let mut log = Log::new();
    log.agent("alice", AgentActivity::Ready);
    log.contact(1);
    log.enters(1, "support");
    log.offered(1, "support", "alice");
    log.pass(5_000);
    log.answered(1, "support", "alice");
    log.pass(60_000);
    log.contact(2);
    log.enters(2, "support");
    log.crashes(&["alice"]);
    // An hour later.
    log.pass(3_600_000);
    log.starts();
    log.agent("alice", AgentActivity::Ready);
    log.pass(1_000);
    let first = &log.visits.values().next().expect("a visit");
    assert_eq!(first.stages, [(Stage::Talk, 5_000), (Stage::End, 65_000)]);
    let report = report(&log, Axis::Queues, None, Level::default());
    let tally = &report.rows[0].tally;
    assert_eq!((tally.answered, tally.handled, tally.interrupted, tally.waiting), (1, 1, 1, 0));
    let agents = self::report(&log, Axis::Agents, None, Level::default());
    assert_eq!(agents.rows[0].tally.time.as_ref().expect("time").logged_in(), 66_000);
}

#[test]
fn a_visit_that_moves_to_another_contact_is_counted_there_alone() {
    let mut log = Log::new();
    log.contact(1);
    log.enters(1, "support");
    log.pass(10_000);
    log.left(1, "support", QueueOutcome::Moved);
    log.contact(2);
    log.enters(2, "support");
    let report = report(&log, Axis::Queues, None, Level::default());
    let tally = &report.rows[0].tally;
    assert_eq!((tally.offered, tally.waiting, tally.contacts), (1, 1, 2));
}

#[test]
fn an_agent_that_hangs_up_before_its_target_answers_has_handed_the_caller_on() {
    for (outcome, transferred) in [(TransferOutcome::Done, 1), (TransferOutcome::Failed(486), 0)] {
        let mut log = Log::new();
        log.agent("alice", AgentActivity::Ready);
        log.contact(1);
        log.enters(1, "support");
        log.offered(1, "support", "alice");
        log.answered(1, "support", "alice");
        log.pass(30_000);
        log.begins_to_hand_on(1);
        log.leg_ended(1, EndedBy::Callee);
        log.agent("alice", AgentActivity::Ready);
        log.pass(5_000);
        log.tell(Some(1), Kind::TransferEnded { outcome });
        let report = report(&log, Axis::Queues, None, Level::default());
        let tally = &report.rows[0].tally;
        assert_eq!((tally.handled, tally.talk, tally.transferred), (1, 30_000, transferred));
    }
}

#[test]
fn behind_a_count_stand_as_many_visits() {
    let log = morning();
    let level = Level { within: 20_000, short_abandon: 5_000, formula: Formula::Neutral, ..Level::default() };
    let tally = &report(&log, Axis::Queues, None, level).rows[0].tally;
    let grid = Grid { zone: TimeZone::UTC, every: None };
    let now = log.unix();
    let (axis, from) = (Axis::Queues, BEGAN / 1_000);
    let selection = Selection { axis, name: None, client: None, from, to: now + 1, now, grid };
    let mut counts = 0;
    for name in
        ["offered", "answered", "abandoned", "short_abandoned", "key", "waiting", "handled", "transferred"]
    {
        let figure = figure(name).expect(name);
        let behind = log.visits.values().filter(|visit| figure.is_behind(&selection.single(visit, &level)));
        let found = behind.count();
        assert_eq!((figure.value)(tally), Some(f64::from(u32::try_from(found).expect("few"))), "{name}");
        counts += found;
    }
    assert!(counts > 15, "{counts}");
}
