//! How countries write their numbers: ITU-T's list of dialling procedures, and the lengths of the national plans.

use std::fmt;
use std::ops::RangeInclusive;

/// A country's numbering plan, as far as numbers without a `+` need it.
#[derive(PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1, `ES`.
    pub name: &'static str,
    /// The country code of E.164.
    pub(super) code: &'static str,
    /// What is dialled before a country code.
    pub(super) international: &'static str,
    /// What is dialled before a number of the own country; empty where nothing is.
    pub(super) trunk: &'static str,
    /// Digits of a national (significant) number; what is shorter is an extension or a service.
    pub(super) length: RangeInclusive<usize>,
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Country {
    /// The country code of E.164.
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    /// The most digits of a number of its own.
    pub(crate) const fn longest(&self) -> usize {
        *self.length.end()
    }

    /// The country of an ISO 3166-1 code.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        COUNTRIES.iter().find(|country| country.name == name)
    }
}

const fn country(
    name: &'static str,
    code: &'static str,
    international: &'static str,
    trunk: &'static str,
    length: RangeInclusive<usize>,
) -> Country {
    Country { name, code, international, trunk, length }
}

/// The countries that a trunk can be of.
pub(crate) static COUNTRIES: [Country; 50] = [
    country("AR", "54", "00", "0", 10..=11),
    country("AT", "43", "00", "0", 7..=13),
    country("AU", "61", "0011", "0", 9..=9),
    country("BE", "32", "00", "0", 8..=9),
    country("BG", "359", "00", "0", 7..=9),
    country("BR", "55", "00", "0", 10..=11),
    country("CA", "1", "011", "1", 10..=10),
    country("CH", "41", "00", "0", 9..=9),
    country("CL", "56", "00", "", 9..=9),
    country("CN", "86", "00", "0", 9..=11),
    country("CO", "57", "00", "", 10..=10),
    country("CY", "357", "00", "", 8..=8),
    country("CZ", "420", "00", "", 9..=9),
    country("DE", "49", "00", "0", 6..=13),
    country("DK", "45", "00", "", 8..=8),
    country("EE", "372", "00", "", 7..=8),
    country("ES", "34", "00", "", 9..=9),
    country("FI", "358", "00", "0", 6..=12),
    country("FR", "33", "00", "0", 9..=9),
    country("GB", "44", "00", "0", 9..=10),
    country("GR", "30", "00", "", 10..=10),
    country("HR", "385", "00", "0", 8..=9),
    country("HU", "36", "00", "06", 8..=9),
    country("IE", "353", "00", "0", 7..=9),
    country("IL", "972", "00", "0", 8..=9),
    country("IN", "91", "00", "0", 10..=10),
    // The 0 of an Italian number is part of it.
    country("IT", "39", "00", "", 6..=11),
    country("JP", "81", "010", "0", 9..=10),
    country("LT", "370", "00", "0", 8..=8),
    country("LU", "352", "00", "", 6..=9),
    country("LV", "371", "00", "", 8..=8),
    country("MA", "212", "00", "0", 9..=9),
    country("MT", "356", "00", "", 8..=8),
    country("MX", "52", "00", "", 10..=10),
    country("NL", "31", "00", "0", 9..=9),
    country("NO", "47", "00", "", 8..=8),
    country("NZ", "64", "00", "0", 8..=10),
    country("PE", "51", "00", "0", 8..=9),
    country("PH", "63", "00", "0", 8..=10),
    country("PL", "48", "00", "", 9..=9),
    country("PT", "351", "00", "", 9..=9),
    country("RO", "40", "00", "0", 9..=9),
    country("SE", "46", "00", "0", 7..=9),
    country("SI", "386", "00", "0", 8..=8),
    country("SK", "421", "00", "0", 9..=9),
    country("TR", "90", "00", "0", 10..=10),
    country("UA", "380", "00", "0", 9..=9),
    country("US", "1", "011", "1", 10..=10),
    country("ZA", "27", "00", "0", 9..=9),
    country("VN", "84", "00", "0", 9..=10),
];
