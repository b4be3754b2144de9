//! The tones of networks by country.
//!
//! Frequencies and cadences are those of ITU-T E.180 supplement 2 (various tones used in national networks), the commonest where
//! a country has several exchanges. The supplement itself was not at hand: rows are as public listings have them, two of
//! them compared where they were to be had; a row says where they differ or where it is from elsewhere. Those of Austria,
//! Switzerland and Belgium are from memory, and want comparing. Levels are
//! −10 dBm0, the middle of what E.180 clause 2 recommends, unless a row says otherwise.

use super::{Section, Tone, Wave};

/// The tones that a caller hears in a country.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkTones {
    /// Which countries, by ISO 3166-1 alpha-2.
    pub countries: &'static [&'static str],
    /// Dial.
    pub dial: Tone,
    /// The far end rings.
    pub ringback: Tone,
    /// The far end is busy.
    pub busy: Tone,
    /// No way to the far end: congestion, also called reorder.
    pub congestion: Tone,
    /// Somebody else calls.
    pub call_waiting: Tone,
}

const LEVEL: f32 = -10.0;

/// Special information tone (E.180 clause 5.6): no call can be had, and an announcement says why. It plays once, and
/// a second of silence belongs to it.
pub const SPECIAL_INFORMATION: Tone =
    Tone { sections: &[on(950, 330), on(1_400, 330), on(1_800, 330), off(1_000)], loops: false };
/// What comes before a message is recorded: 1,400 Hz, half a second.
pub const RECORD_BEEP: Tone = Tone { sections: &[on(1_400, 500)], loops: false };
/// What says that a call is being recorded: 1,400 Hz, half a second in each 15.5 (the recorder warning tone of
/// E.180 supplement 2, United States).
pub const RECORDER_WARNING: Tone = Tone { sections: &[on(1_400, 500), off(15_000)], loops: true };
/// Calling tone of a fax machine (ITU-T T.30 clause 4.1): 1,100 Hz, 0.5 s in each 3.5.
pub const CNG: Tone = Tone { sections: &[on(1_100, 500), off(3_000)], loops: true };
/// Called station identification of a fax machine (T.30 clause 4.1): 2,100 Hz for 2.6 to 4 s.
pub const CED: Tone = Tone { sections: &[on(2_100, 3_000)], loops: false };

/// All networks that are known.
pub static NETWORKS: &[NetworkTones] = &[
    // Levels: Telcordia GR-506-CORE (precise tone plan), -13 dBm0 a sine for dial, -19 for ringback, -24
    // for busy and reorder.
    NetworkTones {
        countries: &["US", "CA"],
        dial: looped(&[loud(Wave::Pair(350, 440), 1_000, LEVEL)]),
        ringback: looped(&[loud(Wave::Pair(440, 480), 2_000, -16.0), off(4_000)]),
        busy: looped(&[loud(Wave::Pair(480, 620), 500, -21.0), off(500)]),
        congestion: looped(&[loud(Wave::Pair(480, 620), 250, -21.0), off(250)]),
        call_waiting: looped(&[loud(Wave::Sine(440), 300, -13.0), off(9_700)]),
    },
    // BT SIN 350, which E.180 supplement 2 agrees with.
    NetworkTones {
        countries: &["GB"],
        dial: looped(&[loud(Wave::Pair(350, 440), 1_000, LEVEL)]),
        ringback: looped(&DOUBLE_RING),
        busy: looped(&[on(400, 375), off(375)]),
        congestion: looped(&[on(400, 400), off(350), on(400, 225), off(525)]),
        call_waiting: looped(&[on(400, 100), off(4_000)]),
    },
    NetworkTones {
        countries: &["DE"],
        dial: looped(&[on(425, 1_000)]),
        ringback: looped(&[on(425, 1_000), off(4_000)]),
        busy: looped(&[on(425, 480), off(480)]),
        congestion: looped(&[on(425, 240), off(240)]),
        call_waiting: looped(&[on(425, 200), off(200), on(425, 200), off(5_000)]),
    },
    // The supplement has no congestion tone: that of twice the pace is what exchanges send.
    NetworkTones {
        countries: &["FR"],
        dial: looped(&[on(440, 1_000)]),
        ringback: looped(&[on(440, 1_500), off(3_500)]),
        busy: looped(&[on(440, 500), off(500)]),
        congestion: looped(&[on(440, 250), off(250)]),
        call_waiting: looped(&[on(440, 300), off(10_000)]),
    },
    NetworkTones {
        countries: &["ES"],
        dial: looped(&[on(425, 1_000)]),
        ringback: looped(&[on(425, 1_500), off(3_000)]),
        busy: looped(&[on(425, 200), off(200)]),
        congestion: looped(&[on(425, 200), off(200), on(425, 200), off(200), on(425, 200), off(600)]),
        call_waiting: looped(&[on(425, 175), off(175), on(425, 175), off(3_500)]),
    },
    // One listing has 0.2 s, 0.6 s and 0.2 s in 11 s as call waiting.
    NetworkTones {
        countries: &["IT"],
        dial: looped(&[on(425, 200), off(200), on(425, 600), off(1_000)]),
        ringback: looped(&[on(425, 1_000), off(4_000)]),
        busy: looped(&[on(425, 500), off(500)]),
        congestion: looped(&[on(425, 200), off(200)]),
        call_waiting: looped(&[on(425, 400), off(100), on(425, 250), off(100), on(425, 150), off(14_000)]),
    },
    NetworkTones {
        countries: &["NL"],
        dial: looped(&[on(425, 1_000)]),
        ringback: looped(&[on(425, 1_000), off(4_000)]),
        busy: looped(&[on(425, 500), off(500)]),
        congestion: looped(&[on(425, 250), off(250)]),
        call_waiting: looped(&[on(425, 500), off(9_500)]),
    },
    // One listing has 440 Hz.
    NetworkTones {
        countries: &["AT"],
        dial: looped(&[on(420, 1_000)]),
        ringback: looped(&[on(420, 1_000), off(5_000)]),
        busy: looped(&[on(420, 400), off(400)]),
        congestion: looped(&[on(420, 200), off(200)]),
        call_waiting: looped(&[on(420, 40), off(1_950)]),
    },
    NetworkTones {
        countries: &["CH"],
        dial: looped(&[on(425, 1_000)]),
        ringback: looped(&[on(425, 1_000), off(4_000)]),
        busy: looped(&[on(425, 500), off(500)]),
        congestion: looped(&[on(425, 200), off(200)]),
        call_waiting: looped(&[on(425, 200), off(200), on(425, 200), off(4_000)]),
    },
    NetworkTones {
        countries: &["BE"],
        dial: looped(&[on(425, 1_000)]),
        ringback: looped(&[on(425, 1_000), off(3_000)]),
        busy: looped(&[on(425, 500), off(500)]),
        congestion: looped(&[on(425, 167), off(167)]),
        call_waiting: looped(&[on(1_400, 175), off(175), on(1_400, 175), off(3_500)]),
    },
    // One listing has 440 Hz, 0.3 s in each 10.3, as call waiting.
    NetworkTones {
        countries: &["PT"],
        dial: looped(&[on(425, 1_000)]),
        ringback: looped(&[on(425, 1_000), off(5_000)]),
        busy: looped(&[on(425, 500), off(500)]),
        congestion: looped(&[on(425, 200), off(200)]),
        call_waiting: looped(&[on(425, 200), off(200), on(425, 200), off(5_000)]),
    },
    // One listing has 450 ms as busy.
    NetworkTones {
        countries: &["IE"],
        dial: looped(&[on(425, 1_000)]),
        ringback: looped(&DOUBLE_RING),
        busy: looped(&[on(425, 500), off(500)]),
        congestion: looped(&[on(425, 375), off(375)]),
        call_waiting: looped(&[on(425, 200), off(200), on(425, 200), off(4_000)]),
    },
    NetworkTones {
        countries: &["SE"],
        dial: looped(&[on(425, 1_000)]),
        ringback: looped(&[on(425, 1_000), off(5_000)]),
        busy: looped(&[on(425, 250), off(250)]),
        congestion: looped(&[on(425, 250), off(750)]),
        call_waiting: looped(&[on(425, 200), off(500), on(425, 200), off(9_100)]),
    },
    // Every other burst of congestion is 10 dB lower. The supplement writes the ringing tone as 425×25, carrier
    // suppressed: two sines.
    NetworkTones {
        countries: &["AU"],
        dial: looped(&[loud(Wave::Pair(413, 438), 1_000, LEVEL)]),
        ringback: looped(&[
            loud(Wave::Pair(413, 438), 400, LEVEL),
            off(200),
            loud(Wave::Pair(413, 438), 400, LEVEL),
            off(2_000),
        ]),
        busy: looped(&[on(425, 375), off(375)]),
        congestion: looped(&[on(425, 375), off(375), loud(Wave::Sine(425), 375, LEVEL - 10.0), off(375)]),
        call_waiting: looped(&[on(425, 200), off(200), on(425, 200), off(4_400)]),
    },
    // No congestion tone: busy stands for both.
    NetworkTones {
        countries: &["JP"],
        dial: looped(&[on(400, 1_000)]),
        ringback: looped(&[loud(Wave::Modulated { carrier: 400, by: 16 }, 1_000, LEVEL), off(2_000)]),
        busy: looped(&[on(400, 500), off(500)]),
        congestion: looped(&[on(400, 500), off(500)]),
        call_waiting: looped(&[loud(Wave::Modulated { carrier: 400, by: 16 }, 500, LEVEL), off(8_000)]),
    },
    NetworkTones {
        countries: &["IN"],
        dial: looped(&[loud(Wave::Modulated { carrier: 400, by: 25 }, 1_000, LEVEL)]),
        ringback: looped(&[
            loud(Wave::Modulated { carrier: 400, by: 25 }, 400, LEVEL),
            off(200),
            loud(Wave::Modulated { carrier: 400, by: 25 }, 400, LEVEL),
            off(2_000),
        ]),
        busy: looped(&[on(400, 750), off(750)]),
        congestion: looped(&[on(400, 250), off(250)]),
        call_waiting: looped(&[on(400, 200), off(100), on(400, 200), off(7_500)]),
    },
    NetworkTones {
        countries: &["BR"],
        dial: looped(&[on(425, 1_000)]),
        ringback: looped(&[on(425, 1_000), off(4_000)]),
        busy: looped(&[on(425, 250), off(250)]),
        congestion: looped(&[on(425, 250), off(250), on(425, 750), off(250)]),
        call_waiting: looped(&[on(425, 50), off(1_000)]),
    },
    NetworkTones {
        countries: &["MX"],
        dial: looped(&[on(425, 1_000)]),
        ringback: looped(&[on(425, 1_000), off(4_000)]),
        busy: looped(&[on(425, 250), off(250)]),
        congestion: looped(&[on(425, 250), off(250)]),
        call_waiting: looped(&[on(425, 200), off(600), on(425, 200), off(10_000)]),
    },
];

const DOUBLE_RING: [Section; 4] =
    [loud(Wave::Pair(400, 450), 400, LEVEL), off(200), loud(Wave::Pair(400, 450), 400, LEVEL), off(2_000)];

/// The tones of a country, by ISO 3166-1 alpha-2 in either case.
pub fn tones_of(country: &str) -> Option<&'static NetworkTones> {
    NETWORKS.iter().find(|row| row.countries.iter().any(|code| code.eq_ignore_ascii_case(country)))
}

const fn on(hz: u16, millis: u32) -> Section {
    loud(Wave::Sine(hz), millis, LEVEL)
}

const fn loud(wave: Wave, millis: u32, dbm0: f32) -> Section {
    Section { wave, dbm0, millis }
}

const fn off(millis: u32) -> Section {
    loud(Wave::Silence, millis, 0.0)
}

const fn looped(sections: &'static [Section]) -> Tone {
    Tone { sections, loops: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_country_is_found_in_either_case_and_has_one_row() {
        assert_eq!(tones_of("ca"), tones_of("US"));
        assert_eq!(tones_of("at").map(|row| row.busy.sections), Some(&[on(420, 400), off(400)][..]));
        assert_eq!(tones_of("XX"), None);
        let codes: Vec<_> = NETWORKS.iter().flat_map(|row| row.countries).collect();
        assert_eq!(codes.len(), codes.iter().collect::<BTreeSet<_>>().len());
    }

    /// E.180 clauses 4 to 7: the limits that a network may use ("accepted"), all frequencies within
    /// those of existing tones.
    #[test]
    fn e180_limits_of_frequency_and_cadence() {
        for row in NETWORKS {
            let ring: u32 = row.ringback.sections.iter().map(|section| section.millis).sum();
            assert!((3_000..=6_500).contains(&ring), "{:?}", row.countries);
            let busy: u32 = row.busy.sections.iter().map(|section| section.millis).sum();
            assert!((300..=1_500).contains(&busy), "{:?}", row.countries);
            assert_eq!(row.busy.sections[0].millis, row.busy.sections[1].millis, "{:?}", row.countries);
            for tone in [row.dial, row.ringback, row.busy, row.congestion] {
                assert!(tone.loops);
                for section in tone.sections {
                    let lines = match section.wave {
                        Wave::Silence => continue,
                        Wave::Sine(hz) => [hz, hz],
                        Wave::Pair(low, high) => [low, high],
                        Wave::Modulated { carrier, by } => [carrier - by, carrier + by],
                    };
                    assert!(lines.iter().all(|hz| (340..=620).contains(hz)), "{:?} {lines:?}", row.countries);
                }
            }
        }
    }
}
