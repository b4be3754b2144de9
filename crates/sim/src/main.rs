//! Runs seeds and counts: `sim --seeds 2000`, or one of them with its messages: `sim --seed 1234 --trace`.

use clap::Parser;
use sim::Tally;
use std::process::ExitCode;

/// Runs the switch in a seeded world and checks it after every step.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  sim --seeds 2000\n  sim --seed 1234 --trace")]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 200, conflicts_with = "seed")]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0, conflicts_with = "seed")]
    from: u64,
    /// Runs this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints every message, media command and event with its time.
    #[arg(long)]
    trace: bool,
    /// Stops after so many failing seeds.
    #[arg(long, default_value_t = 10)]
    max_failures: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seeds = match arguments.seed {
        Some(seed) => seed..seed + 1,
        None => arguments.from..arguments.from + arguments.seeds,
    };
    let (mut run, mut failures, mut tally) = (0_u64, 0, Tally::default());
    for seed in seeds {
        run += 1;
        match sim::run(seed, arguments.trace) {
            Ok(outcome) => tally += outcome.tally,
            Err(error) => {
                failures += 1;
                println!("seed {seed} failed at {error}");
                println!("  cargo run -p sim -- --seed {seed} --trace");
            }
        }
        if run.is_multiple_of(500) {
            println!("{run} seeds, {failures} failed");
        }
        if failures == arguments.max_failures {
            break;
        }
    }
    println!("{run} seeds, {failures} failed; {tally}");
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
