//! A moderate number of seeds; `cargo run -p sim -- --seeds 2000` runs more.

/// Each is run alone by `cargo run -p sim -- --seed N --trace`.
#[test]
fn two_hundred_seeds_keep_every_rule() {
    let failed: Vec<_> =
        (0..200).filter_map(|seed| sim::run(seed, false).err().map(|error| (seed, error))).collect();
    assert_eq!(failed, []);
}

#[test]
fn the_same_seed_gives_the_same_events() {
    for seed in 0..20 {
        let [one, other] = [(); 2].map(|()| sim::run(seed, false).expect("a seed without a fault").journal);
        assert!(!one.is_empty());
        assert_eq!(format!("{one:?}"), format!("{other:?}"), "seed {seed}");
    }
}

/// Checkers that nothing reaches would check nothing.
#[test]
fn the_seeds_reach_what_the_checkers_look_at() {
    let mut tally = sim::Tally::default();
    for seed in 0..200 {
        tally += sim::run(seed, false).expect("a seed without a fault").tally;
    }
    for (count, least) in [
        (tally.contacts, 1_000),
        (tally.legs, 1_800),
        (tally.answered, 800),
        (tally.bridged, 200),
        (tally.early, 20),
        (tally.redirected, 4),
        (tally.held, 80),
        (tally.faxed, 25),
        (tally.fax_refused, 4),
        (tally.one_way, 20),
        (tally.recordings, 120),
        (tally.withheld, 5),
        (tally.registered, 800),
        (tally.trunks_registered, 80),
        (tally.trunks_refused, 80),
        (tally.by_registration, 130),
        (tally.targets_down, 20),
        (tally.targets_up, 10),
        (tally.targets_rested, 4),
        (tally.spared, 2),
        (tally.transfers, 30),
        (tally.replaced, 4),
        (tally.released, 1),
        (tally.codes, 20),
        (tally.by_keys, 4),
        (tally.consulted, 8),
        (tally.taken_back, 2),
        (tally.handed_over, 25),
        (tally.joined, 1),
        (tally.vouched, 20),
        (tally.unvouched, 100),
        (tally.given_up, 1),
        (tally.subscribed, 300),
        (tally.notified, 1_500),
        (tally.notify_refused, 15),
        (tally.queued, 150),
        (tally.offered, 100),
        (tally.not_answered, 15),
        (tally.served, 20),
        (tally.given_up_waiting, 50),
        (tally.left_queue, 50),
        (tally.moved_queue, 1),
        (tally.wrapped_up, 20),
        (tally.alarms, 1),
    ] {
        assert!(count >= least, "{tally}");
    }
}
