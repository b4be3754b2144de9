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
    for seed in 0..150 {
        tally += sim::run(seed, false).expect("a seed without a fault").tally;
    }
    let sim::Tally { contacts, legs, answered, bridged, held, recordings, registered, .. } = tally;
    let sim::Tally { trunks_registered, trunks_refused, by_registration, .. } = tally;
    let sim::Tally { transfers, handed_over, joined, alarms, .. } = tally;
    for (count, least) in [
        (contacts, 500),
        (legs, 900),
        (answered, 400),
        (bridged, 100),
        (held, 40),
        (recordings, 60),
        (registered, 400),
        (trunks_registered, 60),
        (trunks_refused, 60),
        (by_registration, 100),
        (transfers, 20),
        (handed_over, 8),
        (joined, 1),
        (alarms, 1),
    ] {
        assert!(count >= least, "{tally}");
    }
}
