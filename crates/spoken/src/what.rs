/// What is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// A whole number.
    Cardinal {
        /// From -10¹² to 10¹².
        value: i64,
        /// Of what is counted; `None` counts: `eins`, `uno`.
        gender: Option<Gender>,
    },
    /// `third`.
    Ordinal {
        /// From 1 to 999,999.
        value: i64,
        /// Of what is numbered. `None` is the form behind an article in German (`der dritte`), masculine elsewhere.
        gender: Option<Gender>,
    },
    /// One digit after the other, at least one; blanks and `-` are passed over.
    Digits(&'a str),
    /// Letters, digits and the signs of addresses (`@ . - _ + /`), one by one; blanks are passed over. An accent is named behind
    /// its letter.
    Spelled(&'a str),
    /// A telephone number, with `+` or without, in the groups that the language reads it in. Blanks, `-`, `.`, `/` and brackets
    /// are passed over.
    Phone(&'a str),
    /// A day of the Gregorian calendar.
    Date {
        /// From 1000 to 2999.
        year: u16,
        /// From 1.
        month: u8,
        /// From 1.
        day: u8,
    },
    /// A time of day.
    Time {
        /// To 23.
        hour: u8,
        /// To 59.
        minute: u8,
    },
    /// Days, hours, minutes and seconds, those that are not zero.
    Duration {
        /// From 0 to 999,999 days.
        seconds: i64,
    },
    /// An amount.
    Money {
        /// Cents or pence, so that the whole is within ±10¹².
        hundredths: i64,
        /// Of what.
        currency: Currency,
    },
}

/// The gender of what a number belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    /// `ein Tag`, `un jour`.
    Masculine,
    /// `eine Stunde`, `une heure`.
    Feminine,
    /// `ein Pfund`; masculine in French and Spanish.
    Neuter,
}

/// A currency, by ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Currency {
    /// Euro.
    Eur,
    /// US dollar.
    Usd,
    /// Pound sterling.
    Gbp,
}

impl Currency {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Eur, Self::Usd, Self::Gbp];

    /// `EUR`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Eur => "EUR",
            Self::Usd => "USD",
            Self::Gbp => "GBP",
        }
    }

    /// The currency of that code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.code() == code)
    }
}

/// A kind of things to be said, without the thing itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`What::Cardinal`].
    Cardinal,
    /// [`What::Ordinal`].
    Ordinal,
    /// [`What::Digits`].
    Digits,
    /// [`What::Spelled`].
    Spelled,
    /// [`What::Phone`].
    Phone,
    /// [`What::Date`].
    Date,
    /// [`What::Time`].
    Time,
    /// [`What::Duration`].
    Duration,
    /// [`What::Money`].
    Money,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Cardinal,
        Self::Ordinal,
        Self::Digits,
        Self::Spelled,
        Self::Phone,
        Self::Date,
        Self::Time,
        Self::Duration,
        Self::Money,
    ];
}
