//! What queueing theory says of callers who arrive by Poisson, calls that last exponentially, and as many agents as there are.
//! A. K. Erlang (1917) for callers who wait for ever; C. Palm (1946) for those who lose patience exponentially (Erlang A).

/// What a caller can expect.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// The share of callers who wait at all.
    pub waits: f64,
    /// The mean wait of all callers, in mean call lengths.
    pub mean_wait: f64,
    /// The share of callers who hang up while they wait.
    pub abandons: f64,
}

/// Callers who wait for ever. `load` is the traffic for each agent, below 1.
pub fn erlang_c(agents: u32, load: f64) -> Figures {
    let n = f64::from(agents);
    let offered = n * load;
    // Erlang B by its recursion, which neither overflows nor cancels.
    let blocked = (1..=agents).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b));
    let waits = blocked / (1.0 - load * (1.0 - blocked));
    Figures { waits, mean_wait: waits / (n - offered), abandons: 0.0 }
}

/// Callers whose mean patience is `patience` call lengths: the chain of births and deaths, summed.
pub fn erlang_a(agents: u32, load: f64, patience: f64) -> Figures {
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

/// How many callers are to be answered, by Poisson arrivals and exponential calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Calls that are there at once in the mean: arrivals per second times seconds of a call, in erlangs.
    pub offered: f64,
    /// The time of the service level, in mean call lengths.
    pub within: f64,
    /// The share that is to be answered within it, 0 to 1.
    pub target: f64,
}

/// The share of callers who are answered within a time (in mean call lengths), where all wait as long as it takes; 0 with too few
/// agents for the load.
pub fn level_c(agents: u32, offered: f64, within: f64) -> f64 {
    let n = f64::from(agents);
    if n <= offered {
        return 0.0;
    }
    1.0 - erlang_c(agents, offered / n).waits * (-(n - offered) * within).exp()
}

/// The share of callers who are answered within a time, where patience is exponential with that mean (both in mean call lengths).
///
/// Who finds all agents busy and j callers before it waits for j + 1 departures, at rates n, n + 1/patience, … of those who are
/// served and those who lose patience; the sum of such times is the logarithm of a beta variable (Mandelbaum and Zeltyn 2007).
pub fn level_a(agents: u32, offered: f64, patience: f64, within: f64) -> f64 {
    let n = f64::from(agents);
    let beta = n * patience;
    let (mut total, mut answered) = (0.0, 0.0);
    // Weights of the numbers of calls there, relative to that of all agents busy: downwards from there.
    let mut weight = 1.0;
    for busy in (0..agents).rev() {
        weight *= f64::from(busy + 1) / offered;
        total += weight;
    }
    answered += total;
    // Of those who wait: that B >= exp(-within / patience), where B is a beta variable of beta + 1 and j + 1.
    let late = 1.0 - (-within / patience).exp();
    let mut in_time = 1.0 - (1.0 - late).powf(beta + 1.0);
    let mut less = late * (1.0 - late).powf(beta + 1.0) * (beta + 1.0);
    let (mut weight, mut waiting) = (1.0, 0.0);
    while weight > total.max(1.0) * 1e-15 && waiting < 1e6 {
        total += weight;
        answered += weight * in_time * beta / (beta + waiting + 1.0);
        waiting += 1.0;
        weight *= offered / (n + waiting / patience);
        in_time = (in_time - less).max(0.0);
        less *= late * (waiting + beta + 1.0) / (waiting + 1.0);
    }
    answered / total
}

/// The fewest agents with whom callers of endless patience are answered as it is demanded.
pub fn agents_c(demand: &Demand) -> u32 {
    fewest(demand, |agents| level_c(agents, demand.offered, demand.within))
}

/// The same where callers lose patience.
pub fn agents_a(demand: &Demand, patience: f64) -> u32 {
    fewest(demand, |agents| level_a(agents, demand.offered, patience, demand.within))
}

/// The level rises with each agent. 1 for any call at all.
fn fewest(demand: &Demand, level: impl Fn(u32) -> f64) -> u32 {
    if demand.offered <= 0.0 {
        return 0;
    }
    let mut agents = 1;
    while level(agents) < demand.target && agents < MOST_AGENTS {
        agents += 1;
    }
    agents
}

/// Nobody asks for more.
const MOST_AGENTS: u32 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erlang_c_is_what_tables_have() {
        // 10 erlangs, 14 agents: 17.41 % wait (Cooper, Introduction to Queueing Theory); within a ninth of a call.
        let waits = erlang_c(14, 10.0 / 14.0).waits;
        assert!((waits - 0.1741).abs() < 1e-4, "{waits}");
        let level = level_c(14, 10.0, 1.0 / 9.0);
        assert!((level - (1.0 - 0.1741 * (-4.0_f64 / 9.0).exp())).abs() < 1e-4, "{level}");
        // 13 agents answer 79.56 % of them in time, 14 answer 88.84 %.
        assert_eq!(agents_c(&Demand { offered: 10.0, within: 1.0 / 9.0, target: 0.79 }), 13);
        assert_eq!(agents_c(&Demand { offered: 10.0, within: 1.0 / 9.0, target: 0.8 }), 14);
        assert_eq!(agents_c(&Demand { offered: 0.0, within: 0.1, target: 0.8 }), 0);
    }

    #[test]
    fn impatience_takes_fewer_agents_and_endless_patience_as_many() {
        let demand = Demand { offered: 10.0, within: 1.0 / 9.0, target: 0.8 };
        assert!(agents_a(&demand, 0.5) <= agents_c(&demand));
        let (a, c) = (level_a(14, 10.0, 1e5, 1.0 / 9.0), level_c(14, 10.0, 1.0 / 9.0));
        assert!((a - c).abs() < 1e-3, "{a} {c}");
        // Without an end of the time all are answered who do not lose patience.
        let abandons = erlang_a(14, 10.0 / 14.0, 0.5).abandons;
        let level = level_a(14, 10.0, 0.5, 1e3);
        assert!((level - (1.0 - abandons)).abs() < 1e-9, "{level} {abandons}");
        // At once, only those who find an agent free.
        let waits = erlang_a(14, 10.0 / 14.0, 0.5).waits;
        let level = level_a(14, 10.0, 0.5, 0.0);
        assert!((level - (1.0 - waits)).abs() < 1e-9, "{level} {waits}");
    }
}
