use crate::rtcp::{ReportBlock, Rtcp, SenderInfo, packets};
use crate::{HEADER_LEN, Mos, Rating, VoipMetrics};
use clock::{Duration, Time};

/// The mean time between two reports (RFC 3550 6.2, the least of it), before it is varied.
const INTERVAL: Duration = Duration::from_secs(5);
/// e − 3/2: makes up for timers that are reconsidered (RFC 3550 6.3.1).
const COMPENSATION: f64 = 1.218_28;
/// A round trip that takes longer is no measurement.
const MAX_ROUND_TRIP: u32 = 60 << 16;
/// So many packets between two reports are worth a word about them.
const WORTH_A_WORD: u32 = 50;
/// So many reports that have no word of them mean that nothing arrives.
const STRIKES: u8 = 2;

/// When a leg reports, what it was sent, and what the peer says of that (RFC 3550 6).
#[derive(Clone, Debug)]
pub struct Reports {
    random: u64,
    next: Option<Time>,
    /// The name of our source: random, and so nobody's (RFC 7022).
    name: [u8; 16],
    /// The peer's last sender report: whose, the middle of its time, and when it came.
    heard: Option<(u32, u32, Time)>,
    /// Whether the peer writes extended reports, and so reads them.
    is_extended: bool,
    /// Since something was sent first.
    sending: Option<Box<Sending>>,
}

/// What was sent, and what the peer says of it.
#[derive(Clone, Copy, Debug, Default)]
struct Sending {
    sent: Sent,
    by_peer: ByPeer,
}

/// What was sent under one SSRC.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    ssrc: u32,
    first: u16,
    packets: u32,
    octets: u32,
    /// At our last report.
    reported: u32,
    /// At the peer's last report.
    judged: u32,
}

/// What the peer's reports say.
#[derive(Clone, Copy, Debug, Default)]
struct ByPeer {
    block: Option<ReportBlock>,
    metrics: Option<VoipMetrics>,
    last_round_trip: Option<Duration>,
    round_trips: u32,
    total_round_trip: Duration,
    /// Reports in sequence after which nothing more had arrived.
    strikes: u8,
}

impl Reports {
    /// Nothing is sent or heard yet. The seed spreads the reports of many legs.
    pub fn new(seed: u64) -> Self {
        let mut name = [0; 16];
        for (place, digit) in name.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(seed.rotate_left(4 * place as u32) & 15) as usize];
        }
        // A generator of this kind does not leave zero.
        Self { random: seed | 1, next: None, name, heard: None, is_extended: false, sending: None }
    }

    /// Reports are wanted from now on; the first comes after half an interval (RFC 3550 6.2).
    pub fn begin(&mut self, now: Time) {
        if self.next.is_none() {
            self.next = Some(now + self.interval() / 2);
        }
    }

    /// Reports are wanted no more.
    pub fn end(&mut self) {
        self.next = None;
    }

    /// When the next report is due, if any are wanted.
    pub fn next(&self) -> Option<Time> {
        self.next
    }

    /// Whether a report is due; it is taken for sent.
    pub fn is_due(&mut self, now: Time) -> bool {
        let is_due = self.next.is_some_and(|next| next <= now);
        if is_due {
            self.next = Some(now + self.interval());
        }
        is_due
    }

    /// Counts an RTP packet that was sent.
    pub fn sent(&mut self, packet: &[u8]) {
        let Some((&[_, _, s0, s1, _, _, _, _, i0, i1, i2, i3], payload)) =
            packet.split_first_chunk::<HEADER_LEN>()
        else {
            return;
        };
        let ssrc = u32::from_be_bytes([i0, i1, i2, i3]);
        let Sending { sent, by_peer } = &mut **self.sending.get_or_insert_default();
        if ssrc != sent.ssrc || sent.packets == 0 {
            *sent = Sent { ssrc, first: u16::from_be_bytes([s0, s1]), ..Sent::default() };
            by_peer.block = None;
            by_peer.metrics = None;
        }
        sent.packets = sent.packets.wrapping_add(1);
        sent.octets = sent.octets.wrapping_add(payload.len() as u32);
    }

    /// Whether anything was sent.
    pub fn has_sent(&self) -> bool {
        self.sending.is_some()
    }

    /// What we say of sending, if something was sent since the last report.
    pub(crate) fn sender(&mut self, now: Time, timestamp: u32) -> Option<SenderInfo> {
        let sent = &mut self.sending.as_mut()?.sent;
        let Sent { packets, octets, reported, .. } = *sent;
        sent.reported = packets;
        (packets != reported).then(|| SenderInfo { ntp: ntp(now), timestamp, packets, octets })
    }

    /// The block with the sender report that it answers.
    pub(crate) fn answering(&self, now: Time, block: ReportBlock) -> ReportBlock {
        match self.heard {
            Some((ssrc, last_report, at)) if ssrc == block.ssrc => {
                ReportBlock { last_report, delay: middle(ntp(Time::ZERO + now.since(at))), ..block }
            }
            _ => block,
        }
    }

    /// The name of our source.
    pub(crate) fn name(&self) -> &str {
        std::str::from_utf8(&self.name).unwrap_or_default()
    }

    /// Takes what the peer reports. The end of a source changes nothing: the signalling ends calls, and anybody can
    /// write a BYE.
    pub fn hear(&mut self, now: Time, datagram: &[u8]) {
        for packet in packets(datagram).map_while(Result::ok) {
            match packet {
                Rtcp::SenderReport { ssrc, sender, blocks } => {
                    self.heard = Some((ssrc, middle(sender.ntp), now));
                    self.judge(now, blocks.iter());
                }
                Rtcp::ReceiverReport { blocks, .. } => self.judge(now, blocks.iter()),
                Rtcp::ExtendedReport { voip, .. } => {
                    self.is_extended = true;
                    if let Some(Sending { sent, by_peer }) = self.sending.as_deref_mut() {
                        let ours = voip.filter(|metrics| metrics.ssrc == sent.ssrc);
                        by_peer.metrics = ours.or(by_peer.metrics);
                    }
                }
                Rtcp::Bye(_) | Rtcp::Other(_) => {}
            }
        }
    }

    fn judge(&mut self, now: Time, mut blocks: impl Iterator<Item = ReportBlock>) {
        let Some(Sending { sent, by_peer }) = self.sending.as_deref_mut() else { return };
        let block = blocks.find(|block| block.ssrc == sent.ssrc);
        let highest = |block: &ReportBlock| block.highest;
        if block.is_some() && block.as_ref().map(highest) != by_peer.block.as_ref().map(highest) {
            by_peer.strikes = 0;
        } else if sent.packets.wrapping_sub(sent.judged) >= WORTH_A_WORD {
            by_peer.strikes = by_peer.strikes.saturating_add(1);
        }
        sent.judged = sent.packets;
        let Some(block) = block else { return };
        by_peer.block = Some(block);
        if let Some(time) = round_trip(now, &block) {
            by_peer.last_round_trip = Some(time);
            by_peer.round_trips += 1;
            by_peer.total_round_trip += time;
        }
    }

    /// Whether the peer has said twice that nothing of what we send arrives.
    pub fn is_unheard(&self) -> bool {
        self.by_peer().strikes >= STRIKES
    }

    /// Whether the peer reads extended reports.
    pub(crate) fn is_extended(&self) -> bool {
        self.is_extended
    }

    /// The last round trip.
    pub(crate) fn last_round_trip(&self) -> Option<Duration> {
        self.by_peer().last_round_trip
    }

    /// The mean of the round trips so far.
    pub fn round_trip(&self) -> Option<Duration> {
        let ByPeer { total_round_trip, round_trips, .. } = self.by_peer();
        total_round_trip.checked_div(round_trips)
    }

    /// The peer's last word on what we send.
    pub fn at_peer(&self) -> Option<ReportBlock> {
        self.by_peer().block
    }

    /// What the peer hears: by its own word, else by the loss that it has reported.
    pub fn mos_at_peer(&self) -> Option<Mos> {
        let Sending { sent, by_peer: ByPeer { block, metrics, .. } } = self.sending.as_deref()?;
        if let Some(mos) = metrics.and_then(|metrics| metrics.listening) {
            return Some(mos);
        }
        let block = (*block)?;
        let expected = u64::from(block.highest).checked_sub(u64::from(sent.first))? + 1;
        let lost = u64::from(block.lost.max(0).cast_unsigned());
        let concealment = metrics.and_then(|metrics| metrics.concealment).unwrap_or_default();
        // More cannot be lost than was sent: such a report is not worth believing.
        (lost <= expected && expected <= u64::from(sent.packets) + u64::from(WORTH_A_WORD) + lost)
            .then(|| Rating::of_loss(lost as f64 / expected as f64, 1.0, concealment).mos())
    }

    fn by_peer(&self) -> ByPeer {
        self.sending.as_deref().map(|sending| sending.by_peer).unwrap_or_default()
    }

    /// 5 s, varied by half and made up for (RFC 3550 6.3.1).
    fn interval(&mut self) -> Duration {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let share = (self.random >> 11) as f64 / (1_u64 << 53) as f64;
        INTERVAL.mul_f64((0.5 + share) / COMPENSATION)
    }
}

/// From when the leg's clock began, since only differences matter (RFC 3550 6.4.1).
fn ntp(time: Time) -> u64 {
    let micros = time.micros();
    ((u128::from(micros) << 32) / 1_000_000) as u64
}

/// In 65,536ths of a second.
fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// RFC 3550 6.4.1, figure 2. `None` if it answers no report of ours, or cannot be.
fn round_trip(now: Time, block: &ReportBlock) -> Option<Duration> {
    if block.last_report == 0 {
        return None;
    }
    let units = middle(ntp(now)).wrapping_sub(block.last_report).wrapping_sub(block.delay).cast_signed();
    // Both ends round: what took no time may come out below it.
    let units = if (-65..0).contains(&units) { 0 } else { units.cast_unsigned() };
    (units <= MAX_ROUND_TRIP).then(|| Duration::from_micros(u64::from(units) * 1_000_000 / 65_536))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Concealment;
    use crate::rtcp::write_report;

    const OURS: u32 = 0xAAAA;
    const THEIRS: u32 = 0xBBBB;

    /// Reports of a leg that has sent 100 packets.
    fn sending() -> Reports {
        let mut reports = Reports::new(7);
        send(&mut reports, 0, 100);
        reports
    }

    fn send(reports: &mut Reports, from: u16, count: u16) {
        for sequence in from..from + count {
            let header = crate::Header { ssrc: OURS, sequence, ..crate::Header::default() };
            let mut packet = header.to_bytes().to_vec();
            packet.extend([0; 160]);
            reports.sent(&packet);
        }
    }

    fn report(block: Option<ReportBlock>) -> Vec<u8> {
        let mut out = Vec::new();
        write_report(&mut out, THEIRS, None, block.as_ref(), None, "peer");
        out
    }

    fn block(highest: u32, lost: i32) -> ReportBlock {
        ReportBlock { ssrc: OURS, highest, lost, ..ReportBlock::default() }
    }

    #[test]
    fn rfc3550_6_3_1_reports_are_spread_around_five_seconds() {
        let mut reports = Reports::new(99);
        let spread: Vec<f64> = (0..2_000).map(|_| reports.interval().as_secs_f64()).collect();
        let bounds = (2.5 / COMPENSATION, 7.5 / COMPENSATION);
        assert!(spread.iter().all(|time| (bounds.0..=bounds.1).contains(time)));
        let mean = spread.iter().sum::<f64>() / 2_000.0;
        assert!((mean - 5.0 / COMPENSATION).abs() < 0.1, "{mean}");
        assert!(spread.iter().any(|time| *time < 2.2) && spread.iter().any(|time| *time > 6.0));
    }

    #[test]
    fn rfc3550_6_2_the_first_report_comes_after_half_an_interval() {
        let mut reports = Reports::new(3);
        assert!(!reports.is_due(Time::from_secs(100)));
        reports.begin(Time::from_secs(10));
        assert!(!reports.is_due(Time::from_secs(11)));
        assert!(reports.is_due(Time::from_micros(13_100_000)));
        assert!(!reports.is_due(Time::from_micros(13_200_000)));
        reports.end();
        assert!(!reports.is_due(Time::from_secs(100)));
    }

    #[test]
    fn rfc3550_6_4_1_figure_2_the_round_trip_of_a_report() {
        let mut reports = sending();
        // A = 0xb710:8000 (46,864.500 s), LSR = 0xb705:2000 (46,853.125 s), DLSR = 0x0005:4000 (5.250 s).
        let answer = ReportBlock { last_report: 0xB705_2000, delay: 0x0005_4000, ..block(99, 0) };
        reports.hear(Time::from_micros(46_864_500_000), &report(Some(answer)));
        assert_eq!(reports.round_trip(), Some(Duration::from_micros(6_125_000)));
        let early = ReportBlock { delay: 0x00F5_4000, ..answer };
        reports.hear(Time::from_micros(46_864_500_000), &report(Some(early)));
        assert_eq!(reports.round_trip(), Some(Duration::from_micros(6_125_000)), "before it was sent");
    }

    #[test]
    fn rfc3550_6_4_1_a_report_answers_the_last_one_of_its_source() {
        let mut reports = sending();
        let mut out = Vec::new();
        let sender = SenderInfo { ntp: 0x1122_3344_5566_7788, ..SenderInfo::default() };
        write_report(&mut out, THEIRS, Some(&sender), None, None, "peer");
        reports.hear(Time::from_secs(1), &out);
        let ours = |ssrc| reports.answering(Time::from_millis(1_500), ReportBlock { ssrc, ..block(0, 0) });
        assert_eq!((ours(THEIRS).last_report, ours(THEIRS).delay), (0x3344_5566, 0x8000));
        assert_eq!((ours(5).last_report, ours(5).delay), (0, 0));
    }

    #[test]
    fn g107_what_the_peer_hears_is_what_its_reports_say_and_unknown_without_any() {
        let mut reports = sending();
        assert_eq!((reports.mos_at_peer(), reports.at_peer()), (None, None));
        reports.hear(Time::ZERO, &report(Some(ReportBlock { ssrc: 5, ..block(99, 3) })));
        assert_eq!(reports.mos_at_peer(), None, "of another source");
        reports.hear(Time::ZERO, &report(Some(block(99, 3))));
        assert_eq!(reports.mos_at_peer(), Some(Rating::of_loss(0.03, 1.0, Concealment::On).mos()));
        reports.hear(Time::ZERO, &report(Some(block(9, 300))));
        assert_eq!(reports.mos_at_peer(), None, "more than was sent");
        let mut out = report(Some(block(99, 0)));
        let listening = Some(Mos(310));
        VoipMetrics { ssrc: OURS, listening, ..VoipMetrics::default() }.write(&mut out, THEIRS);
        reports.hear(Time::ZERO, &out);
        assert_eq!(reports.mos_at_peer(), listening, "by its own word");
    }

    #[test]
    fn a_peer_that_says_twice_that_nothing_arrives_does_not_hear() {
        for silent in [report(None), report(Some(block(9, 0)))] {
            let mut reports = sending();
            reports.hear(Time::ZERO, &report(Some(block(9, 0))));
            send(&mut reports, 100, 100);
            reports.hear(Time::ZERO, &silent);
            assert!(!reports.is_unheard());
            reports.hear(Time::ZERO, &silent);
            assert!(!reports.is_unheard(), "nothing was sent between");
            send(&mut reports, 200, 100);
            reports.hear(Time::ZERO, &silent);
            assert!(reports.is_unheard());
            reports.hear(Time::ZERO, &report(Some(block(299, 0))));
            assert!(!reports.is_unheard());
        }
    }

    #[test]
    fn rfc3550_6_6_a_bye_changes_nothing() {
        let mut reports = sending();
        reports.hear(Time::ZERO, &report(Some(block(99, 3))));
        let before = format!("{reports:?}");
        reports.hear(Time::ZERO, &[0x81, 203, 0, 1, 0, 0, 0xAA, 0xAA]);
        assert_eq!(format!("{reports:?}"), before);
    }
}
