//! How losses lie among what came: bursts and gaps (RFC 3611 4.7.2), and runs of losses (ITU-T G.107 clause 7.4).

/// So many packets in sequence without a loss end a burst (RFC 3611 4.7.2, `Gmin`).
pub const GMIN: u8 = 16;

/// Packets in the order of their numbers, told apart by whether they came. A two-state (Gilbert) model: within a burst
/// losses are close together, within a gap each stands alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossPattern {
    packets: u64,
    lost: u64,
    /// Losses in sequence count once.
    runs: u64,
    /// Bursts that are over.
    bursts: Bursts,
    open: Option<Open>,
}

/// The bursts of a pattern, and what lies in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bursts {
    /// How many.
    pub count: u64,
    /// Packets within them, lost or not.
    pub packets: u64,
    /// Those that were lost.
    pub lost: u64,
}

/// A loss, or a burst, that is not over yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    /// From its first loss to its last.
    packets: u64,
    lost: u64,
    /// What has come since the last loss.
    since: u64,
}

impl LossPattern {
    /// The next packet has come.
    pub fn received(&mut self) {
        self.packets += 1;
        if let Some(open) = &mut self.open {
            open.since += 1;
            if open.since >= u64::from(GMIN) {
                self.bursts = self.bursts.with(*open);
                self.open = None;
            }
        }
    }

    /// The next packet has not come.
    pub fn lost(&mut self) {
        self.packets += 1;
        self.lost += 1;
        let open = self.open.unwrap_or(Open { packets: 0, lost: 0, since: 0 });
        self.runs += u64::from(open.lost == 0 || open.since > 0);
        self.open = Some(Open { packets: open.packets + open.since + 1, lost: open.lost + 1, since: 0 });
    }

    /// Adds what another pattern has counted; no burst reaches from one into the other.
    pub fn add(&mut self, other: &Self) {
        let (bursts, others) = (self.bursts(), other.bursts());
        *self = Self {
            packets: self.packets + other.packets,
            lost: self.lost + other.lost,
            runs: self.runs + other.runs,
            bursts: Bursts {
                count: bursts.count + others.count,
                packets: bursts.packets + others.packets,
                lost: bursts.lost + others.lost,
            },
            open: None,
        };
    }

    /// Packets that should have come.
    pub fn expected(&self) -> u64 {
        self.packets
    }

    /// The share of them that did not, 0 to 1; `None` if none should have come.
    pub fn loss(&self) -> Option<f64> {
        (self.packets > 0).then(|| share(self.lost, self.packets))
    }

    /// The bursts so far, one that may still go on included.
    pub fn bursts(&self) -> Bursts {
        self.open.map_or(self.bursts, |open| self.bursts.with(open))
    }

    /// The share that was lost within bursts, 0 to 1; 0 without a burst (RFC 3611 4.7.2).
    pub fn burst_density(&self) -> f64 {
        let bursts = self.bursts();
        share(bursts.lost, bursts.packets)
    }

    /// The share that was lost between bursts, 0 to 1 (RFC 3611 4.7.2).
    pub fn gap_density(&self) -> f64 {
        let bursts = self.bursts();
        share(self.lost - bursts.lost, self.packets - bursts.packets)
    }

    /// The mean length of a burst in packets; 0 without one.
    pub fn burst_length(&self) -> f64 {
        let bursts = self.bursts();
        share(bursts.packets, bursts.count)
    }

    /// The mean length of the gaps, one before and one after each burst, in packets.
    pub fn gap_length(&self) -> f64 {
        let bursts = self.bursts();
        share(self.packets - bursts.packets, bursts.count + 1)
    }

    /// How much longer the runs of losses are than they would be by chance: 1 for random loss (ITU-T G.107
    /// clause 7.4, `BurstR`). By chance a run has `1 / (1 − loss)` packets.
    pub fn burst_ratio(&self) -> f64 {
        if self.runs == 0 {
            return 1.0;
        }
        share(self.lost, self.runs) * (1.0 - share(self.lost, self.packets))
    }
}

impl Bursts {
    /// And what is open, if it is one: a single loss is none.
    fn with(self, open: Open) -> Self {
        if open.lost < 2 {
            return self;
        }
        Self { count: self.count + 1, packets: self.packets + open.packets, lost: self.lost + open.lost }
    }
}

/// A share of nothing is 0.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 came; anything else did not.
    fn pattern(text: &str) -> LossPattern {
        let mut pattern = LossPattern::default();
        for packet in text.chars() {
            if packet == '1' { pattern.received() } else { pattern.lost() }
        }
        pattern
    }

    #[test]
    fn rfc3611_4_7_2_the_example_of_a_burst_between_two_gaps() {
        let gap_before = format!("{}0{}", "1".repeat(4), "1".repeat(18));
        let gap_after = format!("{}X{}", "1".repeat(18), "1".repeat(10));
        let pattern = pattern(&format!("{gap_before}X111X1011110{gap_after}"));
        assert_eq!(pattern.bursts(), Bursts { count: 1, packets: 12, lost: 4 });
        assert_eq!(format!("{:.2}", pattern.burst_density()), "0.33");
        assert_eq!(format!("{:.2}", pattern.gap_density()), "0.04");
        // 230 ms and 290 ms of gaps in packets of 10 ms.
        assert_eq!((pattern.burst_length(), pattern.gap_length()), (12.0, 26.0));
        assert_eq!(pattern.expected(), 64);
    }

    #[test]
    fn rfc3611_4_7_2_losses_belong_together_until_sixteen_packets_have_come_between() {
        let two = |between: usize| pattern(&format!("0{}0", "1".repeat(between))).bursts();
        assert_eq!(two(15), Bursts { count: 1, packets: 17, lost: 2 });
        assert_eq!(two(16), Bursts::default());
        assert_eq!(pattern("1111").gap_density(), 0.0);
        assert_eq!(pattern("").loss(), None);
    }

    #[test]
    fn g107_7_4_the_burst_ratio_is_one_where_losses_stand_as_by_chance() {
        // Two of four lost: runs of 1 and 1, by chance 2.
        assert_eq!(pattern("0101").burst_ratio(), 0.5);
        assert_eq!(pattern("0011").burst_ratio(), 1.0);
        assert_eq!(pattern("00001111").burst_ratio(), 2.0);
        assert_eq!(pattern("1111").burst_ratio(), 1.0);
    }

    #[test]
    fn patterns_of_two_sources_add_up() {
        let mut both = pattern("001111");
        both.add(&pattern("001"));
        assert_eq!(both.bursts(), Bursts { count: 2, packets: 4, lost: 4 });
        assert_eq!(both.expected(), 9);
    }
}
