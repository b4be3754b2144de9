//! The queue against theory, small; the whole table is made by the example.

#[path = "../examples/erlang/simulation.rs"]
mod simulation;
use acd::erlang::{self, Figures};

fn agree(theory: Figures, measured: simulation::Measured) {
    let simulation::Measured { mean, plus_minus, callers } = measured;
    for (theory, mean, plus_minus) in [
        (theory.waits, mean.waits, plus_minus.waits),
        (theory.mean_wait, mean.mean_wait, plus_minus.mean_wait),
        (theory.abandons, mean.abandons, plus_minus.abandons),
    ] {
        assert!(
            (theory - mean).abs() <= plus_minus,
            "{theory} is not {mean} ± {plus_minus} of {callers} callers"
        );
        // An interval that says nothing would be met by anything.
        assert!(plus_minus <= 0.2 * theory.max(0.02), "{mean} ± {plus_minus} says nothing");
    }
}

/// Erlang's own table (1917) and those of every textbook: 10 agents, 8 Erlang, 40.92 % wait.
#[test]
fn theory_is_that_of_the_tables() {
    let known = erlang::erlang_c(10, 0.8);
    assert!((known.waits - 0.4092).abs() < 0.0001, "{known:?}");
    // Callers with endless patience are those of Erlang C.
    let patient = erlang::erlang_a(10, 0.8, 1e9);
    assert!((patient.waits - known.waits).abs() < 1e-6 && (patient.mean_wait - known.mean_wait).abs() < 1e-6);
}

#[test]
fn patient_callers_wait_as_erlang_c_says() {
    for (agents, load) in [(5, 0.8), (20, 0.8)] {
        agree(erlang::erlang_c(agents, load), simulation::run(3, agents, load, None, 3));
    }
}

#[test]
fn impatient_callers_hang_up_as_erlang_a_says() {
    for (agents, load) in [(5, 0.8), (50, 0.95)] {
        agree(erlang::erlang_a(agents, load, 0.5), simulation::run(3, agents, load, Some(0.5), 1));
    }
}
