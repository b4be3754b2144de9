//! Which packets of which sources have been seen (RFC 3711 3.3.1, 3.3.2).

/// Packets that far behind the newest are still told from repeated ones (RFC 3711 3.3.2 wants 64).
const WINDOW: u64 = 128;

/// SSRCs that one key serves at a time. A peer that has used more starts again with its oldest; no phone does.
const MOST: usize = 16;

/// The sources that a key serves.
#[derive(Debug)]
pub(crate) struct Sources {
    /// The one that was heard last comes first.
    list: Vec<Source>,
}

/// Where a source's numbering stands: of RTP packets 48 bits with the rollover counter in the upper 32.
#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    newest: u64,
    /// Which of the packets up to `newest` have been seen; bit 0 is `newest`.
    seen: u128,
}

impl Sources {
    /// None yet, with room for all that may come.
    pub(crate) fn new() -> Self {
        Self { list: Vec::with_capacity(MOST) }
    }

    /// The index of an RTP packet (RFC 3711 3.3.1); `None` if it is from before the first.
    pub(crate) fn index_of(&self, ssrc: u32, sequence: u16) -> Option<u64> {
        let Some(source) = self.list.iter().find(|source| source.ssrc == ssrc) else {
            return Some(sequence.into());
        };
        let ahead = sequence.wrapping_sub(source.newest as u16).cast_signed();
        source.newest.checked_add_signed(ahead.into()).filter(|index| *index < 1 << 48)
    }

    /// Whether an index has neither been seen nor is too old to tell.
    pub(crate) fn is_fresh(&self, ssrc: u32, index: u64) -> bool {
        let Some(source) = self.list.iter().find(|source| source.ssrc == ssrc) else { return true };
        match source.newest.checked_sub(index) {
            None => true,
            Some(behind) => behind < WINDOW && source.seen & 1 << behind == 0,
        }
    }

    /// Takes note of a fresh index.
    pub(crate) fn note(&mut self, ssrc: u32, index: u64) {
        match self.list.iter().position(|source| source.ssrc == ssrc) {
            Some(0) => {}
            Some(place) => self.list[..=place].rotate_right(1),
            None => {
                if self.list.len() == MOST {
                    self.list.pop();
                }
                self.list.insert(0, Source { ssrc, newest: index, seen: 0 });
            }
        }
        self.list[0].note(index);
    }
}

impl Source {
    fn note(&mut self, index: u64) {
        if let Some(ahead) = index.checked_sub(self.newest).filter(|ahead| *ahead > 0) {
            let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0);
            self.newest = index;
        }
        self.seen |= 1 << (self.newest - index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes note of a sequence number and gives its index, if it is fresh.
    fn take(sources: &mut Sources, ssrc: u32, sequence: u16) -> Option<u64> {
        let index = sources.index_of(ssrc, sequence).filter(|index| sources.is_fresh(ssrc, *index))?;
        sources.note(ssrc, index);
        Some(index)
    }

    /// RFC 3711 3.3.1: the rollover counter goes up when the sequence number wraps, and down for a late packet.
    #[test]
    fn sequence_numbers_roll_over() {
        let mut sources = Sources::new();
        assert_eq!(take(&mut sources, 1, 65_534), Some(65_534));
        assert_eq!(take(&mut sources, 1, 1), Some(65_537));
        assert_eq!(take(&mut sources, 1, 65_535), Some(65_535));
        assert_eq!(take(&mut sources, 1, 0), Some(65_536));
        assert_eq!(take(&mut sources, 1, 30_000), Some(95_536));
    }

    #[test]
    fn a_packet_from_before_the_first_has_no_index() {
        let mut sources = Sources::new();
        take(&mut sources, 1, 3);
        assert_eq!(sources.index_of(1, 65_530), None);
    }

    /// RFC 3711 3.3.2.
    #[test]
    fn a_packet_is_taken_once_and_only_within_the_window() {
        let mut sources = Sources::new();
        take(&mut sources, 1, 1_000);
        assert_eq!(take(&mut sources, 1, 1_000), None);
        assert_eq!(take(&mut sources, 1, 873), Some(873));
        assert_eq!(take(&mut sources, 1, 873), None);
        assert_eq!(take(&mut sources, 1, 872), None);
        assert_eq!(take(&mut sources, 1, 2_000), Some(2_000));
        assert_eq!(take(&mut sources, 1, 1_999), Some(1_999));
        assert_eq!(take(&mut sources, 1, 1_000), None);
    }

    #[test]
    fn sources_are_counted_apart_and_the_one_longest_silent_makes_room() {
        let mut sources = Sources::new();
        for ssrc in 0..16 {
            assert_eq!(take(&mut sources, ssrc, 7), Some(7));
        }
        assert_eq!(take(&mut sources, 0, 8), Some(8));
        assert_eq!(take(&mut sources, 99, 7), Some(7));
        assert_eq!(take(&mut sources, 0, 8), None);
        assert_eq!(take(&mut sources, 2, 7), None);
        assert_eq!((take(&mut sources, 1, 7), sources.list.len()), (Some(7), 16));
    }
}
