//! The queue against theory: `cargo run --release -p acd --example erlang` prints the table of this crate's README.

mod simulation;

use acd::erlang::{self, Figures};
use simulation::Measured;

const AGENTS: [u32; 5] = [5, 20, 50, 100, 500];
const LOADS: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.98];

/// Mean patience, in mean call lengths.
const PATIENCE: f64 = 0.5;

/// One figure: what theory says, what was measured, and whether the first is in the interval of the second.
fn cell(theory: f64, (mean, plus_minus): (f64, f64), callers: u64, all: &mut (u32, u32)) -> String {
    // What happens to one in a million is not seen in fewer: 4.6 / n is the bound of 99 % for what was never seen in n.
    let within = (theory - mean).abs() <= plus_minus.max(4.6 / callers as f64);
    all.0 += 1;
    all.1 += u32::from(!within);
    let star = if within { "" } else { " *" };
    format!("{theory:.5} | {mean:.5} ± {plus_minus:.5}{star}")
}

fn row(agents: u32, load: f64, theory: Figures, measured: Measured, patient: bool, all: &mut (u32, u32)) {
    let Measured { mean, plus_minus, callers } = measured;
    let waits = cell(theory.waits, (mean.waits, plus_minus.waits), callers, all);
    let wait = cell(theory.mean_wait, (mean.mean_wait, plus_minus.mean_wait), callers, all);
    if patient {
        println!("| {agents} | {load} | {callers} | {waits} | {wait} |");
    } else {
        let abandons = cell(theory.abandons, (mean.abandons, plus_minus.abandons), callers, all);
        println!("| {agents} | {load} | {callers} | {waits} | {wait} | {abandons} |");
    }
}

fn main() {
    let mut all = (0, 0);
    let mut seed = 1;
    println!("Erlang C: callers wait for ever.\n");
    println!("| agents | load | callers | waits: theory | measured | mean wait: theory | measured |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for agents in AGENTS {
        for load in LOADS {
            seed += 1;
            let measured = simulation::run(seed, agents, load, None, 1);
            row(agents, load, erlang::erlang_c(agents, load), measured, true, &mut all);
        }
    }
    println!("\nErlang A: mean patience is {PATIENCE} mean calls.\n");
    println!(
        "| agents | load | callers | waits: theory | measured | mean wait: theory | measured | abandons: theory | measured |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for agents in AGENTS {
        for load in LOADS {
            seed += 1;
            let measured = simulation::run(seed, agents, load, Some(PATIENCE), 1);
            row(agents, load, erlang::erlang_a(agents, load, PATIENCE), measured, false, &mut all);
        }
    }
    let (figures, outside) = all;
    println!(
        "\n{outside} of {figures} figures are outside of their 99 % interval (*); of true ones, 1 % would be."
    );
}
