//! The ladder's exact text: it is the first thing that a user sees.

mod script;

use events::{Kind, LegId, Missing, WallClock, ladder};
use proptest::prelude::*;
use script::{CALLER, any_events, demo_call, ring_group};

#[test]
fn a_call_through_a_menu_to_an_agent() {
    let text = ladder::render(&demo_call(), wall(), ladder::DEFAULT_WIDTH);
    assert_eq!(text, include_str!("expected/demo_100.txt"), "it is now:\n{text}");
}

#[test]
fn the_same_call_on_a_narrow_terminal() {
    let text = ladder::render(&demo_call(), wall(), 80);
    assert_eq!(text, include_str!("expected/demo_80.txt"), "it is now:\n{text}");
}

#[test]
fn more_agents_than_columns_share_the_last_by_name() {
    let text = ladder::render(&ring_group(8), wall(), ladder::DEFAULT_WIDTH);
    assert_eq!(text, include_str!("expected/ring_group_100.txt"), "it is now:\n{text}");
}

#[test]
fn media_that_flows_one_way_is_told_with_its_leg_and_way() {
    for (missing, line) in [
        (Missing::From, "! no media from carrier, which is sent some"),
        (Missing::To, "! no media to carrier: by its reports nothing arrives"),
    ] {
        let mut events = demo_call();
        let started = events.iter_mut().find(|event| matches!(event.kind, Kind::MediaStarted { .. }));
        started.expect("the caller is heard").kind = Kind::MediaOneWay { leg: CALLER, missing };
        let text = ladder::render(&events, wall(), ladder::DEFAULT_WIDTH);
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn what_a_peer_sent_cannot_steer_the_terminal() {
    let mut events = demo_call();
    let evil = "\x1b[2J\r\n\u{9b}31m".to_owned();
    for event in &mut events {
        match &mut event.kind {
            Kind::Sip { line, .. } => *line = evil.as_str().into(),
            Kind::ContactStarted { from, .. } => *from = evil.as_str().into(),
            Kind::LegStarted { party, uri, .. } => {
                *party = events::Party::Uri;
                *uri = evil.as_str().into();
            }
            _ => {}
        }
    }
    let text = ladder::render(&events, wall(), ladder::DEFAULT_WIDTH);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

#[test]
fn no_events_are_said_to_be_none() {
    assert_eq!(ladder::render(&[], wall(), 100), "no events\n");
}

proptest! {
    #[test]
    fn any_events_fit_the_width(events in any_events(), width in 0usize..240) {
        let text = ladder::render(&events, wall(), width);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        prop_assert!(widest <= width.max(60), "{widest} in {width}:\n{text}");
    }

    #[test]
    fn every_sip_message_is_a_line(lines in prop::collection::vec("[A-Z]{3,8}", 1..20)) {
        let mut call = script::Script::new();
        for line in &lines {
            call.sent(5, LegId(1), line, 9);
        }
        let text = ladder::render(&call.events, wall(), 100);
        for line in &lines {
            prop_assert!(text.contains(&format!(" {line} ")), "{line}:\n{text}");
        }
    }
}

fn wall() -> WallClock {
    WallClock::new(1_795_450_695_123_456)
}
