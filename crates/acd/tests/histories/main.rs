//! Random histories: callers come, hang up, are moved; agents answer, miss, pause, are lost; leases run out, plans change,
//! and the whole is written out and read back. After each step everything that must hold is looked for, by a slow
//! reading of the rules that knows no index.

mod plans;
mod rules;
mod tally;
mod world;

use world::World;

/// Steps of all histories together.
const STEPS: u32 = 100_000;

const SEEDS: u64 = 20;

#[test]
fn what_must_hold_holds_after_each_step_of_random_histories() {
    let mut tally = tally::Tally::default();
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..u64::from(STEPS) / SEEDS {
            world.step();
        }
        world.close();
        tally.add(&world.tally);
    }
    // What never happened was not tested.
    println!("{tally:?}");
    assert!(tally.least() > 100, "{tally:?}");
}
