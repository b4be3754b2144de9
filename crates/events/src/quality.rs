//! How a leg sounded, at both of its ends.

use serde::{Deserialize, Serialize};

/// Where no media comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// From the party.
    From,
    /// To the party, by its own reports.
    To,
}

/// How a leg sounded. `None` means not measured, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// How often packets of the party were lost close together (RFC 3611 4.7.2).
    pub bursts: Option<u64>,
    /// What can be heard of the party: MOS (ITU-T G.107, without delay) in hundredths.
    pub mos_hundredths: Option<u16>,
    /// How much of what was decoded of the party was made up, in thousandths.
    pub concealed_permille: Option<u16>,
    /// To the party and back, in microseconds.
    pub round_trip_micros: Option<u64>,
    /// What the party hears, by its own reports.
    pub at_party: Option<AtParty>,
}

/// Datagrams of T.38; what they repeat of others is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaxCount {
    /// From the party.
    pub received: u64,
    /// To the party.
    pub sent: u64,
    /// Missing by their numbers; the next ones may have made them good.
    pub lost: u64,
}

impl FaxCount {
    /// `T.38: 812 in, 640 out, 3 lost`.
    pub(crate) fn line(self) -> String {
        format!("T.38: {} in, {} out, {} lost", self.received, self.sent, self.lost)
    }
}

/// What a party reports of what it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtParty {
    /// Packets missing.
    pub lost: u32,
    /// Interarrival jitter in microseconds.
    pub jitter_micros: u32,
    /// MOS in hundredths.
    pub mos_hundredths: Option<u16>,
}

impl Quality {
    /// The figures of both ends in one line: `4 lost in 1 burst, jitter 0.2 ms, MOS 4.31, 1.2% made up; hears:
    /// 3 lost, jitter 1.0 ms, MOS 4.20, round trip 34.0 ms`.
    pub(crate) fn line(&self, lost: u64, jitter_micros: Option<u32>) -> String {
        let bursts = match self.bursts {
            Some(1) => " in 1 burst".to_owned(),
            Some(bursts) if bursts > 1 => format!(" in {bursts} bursts"),
            _ => String::new(),
        };
        let made_up = self
            .concealed_permille
            .map_or(String::new(), |permille| format!(", {}.{}% made up", permille / 10, permille % 10));
        let hears = self.at_party.map_or("unknown".to_owned(), |at_party| {
            let AtParty { lost, jitter_micros, mos_hundredths } = at_party;
            let (jitter, round_trip) = (millis(Some(jitter_micros.into())), millis(self.round_trip_micros));
            format!("{lost} lost, jitter {jitter}, {}, round trip {round_trip}", mos(mos_hundredths))
        });
        let jitter = millis(jitter_micros.map(u64::from));
        let mos = mos(self.mos_hundredths);
        format!("{lost} lost{bursts}, jitter {jitter}, {mos}{made_up}; hears: {hears}")
    }
}

fn mos(hundredths: Option<u16>) -> String {
    hundredths.map_or("MOS unknown".to_owned(), |mos| format!("MOS {}.{:02}", mos / 100, mos % 100))
}

fn millis(micros: Option<u64>) -> String {
    micros.map_or("unknown".to_owned(), |micros| format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100))
}
