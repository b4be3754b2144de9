//! What queueing theory says of callers who arrive by Poisson, calls that last exponentially, and as many agents as there are.
//! A. K. Erlang (1917) for callers who wait for ever; C. Palm (1946) for those who lose patience exponentially (Erlang A).

/// What a caller can expect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// The share of callers who wait at all.
    pub(crate) waits: f64,
    /// The mean wait of all callers, in mean call lengths.
    pub(crate) mean_wait: f64,
    /// The share of callers who hang up while they wait.
    pub(crate) abandons: f64,
}

/// Callers who wait for ever. `load` is the traffic for each agent, below 1.
pub(crate) fn erlang_c(agents: u32, load: f64) -> Figures {
    let n = f64::from(agents);
    let offered = n * load;
    // Erlang B by its recursion, which neither overflows nor cancels.
    let blocked = (1..=agents).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b));
    let waits = blocked / (1.0 - load * (1.0 - blocked));
    Figures { waits, mean_wait: waits / (n - offered), abandons: 0.0 }
}

/// Callers whose mean patience is `patience` call lengths: the chain of births and deaths, summed.
pub(crate) fn erlang_a(agents: u32, load: f64, patience: f64) -> Figures {
    let n = f64::from(agents);
    let rate = n * load;
    let (mut total, mut waiting, mut queue) = (0.0, 0.0, 0.0);
    // From the most likely state downwards and upwards, so that no weight overflows.
    let top = agents.min(rate as u32);
    let mut weight = 1.0;
    for k in (0..top).rev() {
        weight *= f64::from(k + 1) / rate;
        total += weight;
    }
    weight = 1.0;
    let mut k = top;
    while weight > 1e-300 && (weight > 1e-18 || k <= agents) {
        total += weight;
        if k >= agents {
            waiting += weight;
            queue += weight * f64::from(k - agents);
        }
        k += 1;
        weight *= rate / (n.min(f64::from(k)) + (f64::from(k) - n).max(0.0) / patience);
    }
    let queue = queue / total;
    Figures { waits: waiting / total, mean_wait: queue / rate, abandons: queue / patience / rate }
}
