//! Numbers as people and carriers write them.

/// A dialled number without separators, international ones with `+`: `+1 (555) 010-0` and `001 5550100` are
/// both `+15550100`. Anything that is not a number is left as it is.
pub fn normalized(dialled: &str) -> String {
    let dialled = dialled.trim();
    match digits(dialled) {
        Some((true, digits)) => format!("+{digits}"),
        Some((false, digits)) => digits,
        None => dialled.to_owned(),
    }
}

/// What numbers are matched by: the digits alone, since carriers send `+` or leave it out as they please.
pub(crate) fn key(dialled: &str) -> String {
    let dialled = dialled.trim();
    digits(dialled).map_or_else(|| dialled.to_owned(), |(_, digits)| digits)
}

/// What numbers begin with, as [`normalized`] writes them; `None` if that is no beginning of a number.
pub(crate) fn prefix(text: &str) -> Option<String> {
    let (plus, digits) = match text.trim() {
        "+" => (true, String::new()),
        text => cleaned(text)?,
    };
    (plus || !digits.starts_with("00")).then(|| if plus { format!("+{digits}") } else { digits })
}

/// Whether a number is written as an international one, and its digits; `None` if it is no number.
fn digits(text: &str) -> Option<(bool, String)> {
    let (plus, digits) = cleaned(text)?;
    match digits.strip_prefix("00") {
        // A bare `00` or `000` is somebody's short number.
        Some(rest) if !plus && rest.len() > 2 => Some((true, rest.to_owned())),
        _ => Some((plus, digits)),
    }
}

/// Whether a number begins with `+`, and its digits; `None` if it is no number.
pub(crate) fn cleaned(text: &str) -> Option<(bool, String)> {
    let (plus, rest) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
    let is_separator = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')' | '/');
    let fits = rest.chars().all(|c| c.is_ascii_digit() || is_separator(c));
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    (fits && !digits.is_empty()).then_some((plus, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_matches_however_it_is_typed() {
        for typed in ["+15550100", "+1 555-0100", "0015550100", "1 (555) 01.00", "15550100", " +1/5550100 "] {
            assert_eq!(key(typed), "15550100", "{typed}");
        }
        assert_eq!(normalized("00 1 555 0100"), "+15550100");
        assert_eq!(normalized("15550100"), "15550100");
    }

    #[test]
    fn a_prefix_is_written_as_the_numbers_that_begin_with_it() {
        let written = ["+34 9", "+", "9", "00", "0034", "", "sales"].map(prefix);
        assert_eq!(written.map(|it| it.unwrap_or_default()), ["+349", "+", "9", "", "", "", ""]);
    }

    #[test]
    fn a_name_and_a_short_number_stay_as_they_are() {
        assert_eq!(normalized("sales-desk"), "sales-desk");
        assert_eq!(normalized("00"), "00");
        assert_eq!(key("100"), "100");
        assert_eq!(key("-"), "-");
    }
}
