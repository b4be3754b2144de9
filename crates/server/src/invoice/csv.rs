use crate::report::{quoted, stamp};
use billing::{Draft, Item, Money};
use jiff::tz::TimeZone;

/// A draft as comma-separated values (RFC 4180), with a head: a row for each line, and one for each thing behind it, if the draft has
/// them. What anything costs is a column only where the draft has that.
pub(crate) fn csv(draft: &Draft, zone: &TimeZone) -> String {
    let is_costed = draft.cost.is_some();
    let digits = draft.currency.digits;
    let mut rows = Rows { text: String::new(), is_costed };
    rows.add(
        [
            "client", "month", "row", "kind", "of", "price", "contact", "at", "who", "count", "quantity",
            "currency", "amount",
        ],
        Some("cost".to_owned()),
    );
    let month = draft.month.to_string();
    for line in &draft.lines {
        let of = [&*draft.client, &month, "line", line.kind.name(), &line.of];
        let price =
            line.why.as_ref().map_or_else(|| line.price.clone(), |why| format!("{}: {why}", line.price));
        let (count, quantity) = (line.count.to_string(), line.quantity.to_string());
        let amount = line.amount.text(digits);
        let rest = [&*price, "", "", "", &count, &quantity, draft.currency.name, &amount];
        rows.add(of.into_iter().chain(rest), line.cost.map(|cost| cost.text(digits)));
        for Item { contact, at, who, quantity, amount, cost } in &line.items {
            let of = [&*draft.client, &month, "item", line.kind.name(), &line.of];
            let contact = contact.map_or(String::new(), |contact| contact.0.to_string());
            let (at, quantity, amount) = (stamp(zone, *at), quantity.to_string(), amount.to_string());
            let rest = ["", &contact, &at, who, "1", &quantity, draft.currency.name, &amount];
            rows.add(of.into_iter().chain(rest), cost.as_ref().map(Money::to_string));
        }
    }
    rows.text
}

/// A number, which may be below zero, or a text.
fn cell(text: &str) -> String {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
    if is_number { text.to_owned() } else { quoted(text) }
}

struct Rows {
    text: String,
    is_costed: bool,
}

impl Rows {
    fn add<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>, cost: Option<String>) {
        let mut cells: Vec<_> = cells.into_iter().map(cell).collect();
        if self.is_costed {
            cells.push(cost.unwrap_or_default());
        }
        self.text += &cells.join(",");
        self.text += "\r\n";
    }
}
