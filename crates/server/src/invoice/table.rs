use crate::report::{aligned, clock_face, on_the_wall};
use billing::{Draft, Heading, Item, Kind, Line};

/// A draft as people read it on a terminal.
pub(crate) fn table(draft: &Draft, heading: &Heading<'_>) -> String {
    let Heading { name, zone, as_of } = heading;
    let clock = on_the_wall(zone, *as_of, "%Y-%m-%d %H:%M");
    let zone_name = zone.iana_name().unwrap_or("UTC");
    let mut text = format!(
        "{name}, {}: draft of an invoice in {}, as of {clock} {zone_name}\n\n",
        draft.month, draft.currency.name
    );
    let mut lines =
        vec![["WHAT", "OF", "PRICE", "NUMBER", "QUANTITY", "AMOUNT", "COST"].map(str::to_owned).to_vec()];
    lines.extend(draft.lines.iter().map(|line| row(draft, line)));
    let digits = draft.currency.digits;
    let cost = draft.cost.map_or_else(|| "–".to_owned(), |cost| cost.text(digits));
    let total = ["total", "", "", "", "", &draft.total.text(digits), &cost];
    lines.push(total.map(str::to_owned).to_vec());
    text += &aligned(&lines);
    if let Some(margin) = draft.margin() {
        text +=
            &format!("\nmargin {} {}; taxes are not included\n", draft.currency.name, margin.text(digits));
    }
    for line in &draft.lines {
        if let Some(why) = &line.why {
            text += &format!("penalty of {}: {why}\n", line.of);
        }
    }
    if !draft.unpriced.is_empty() {
        let contacts: Vec<_> = draft.unpriced.iter().map(|contact| contact.0.to_string()).collect();
        text +=
            &format!("without a price, and not included: the calls of contacts {}\n", contacts.join(", "));
    }
    for line in draft.lines.iter().filter(|line| !line.items.is_empty()) {
        text += &behind(line, heading);
    }
    text
}

fn row(draft: &Draft, line: &Line) -> Vec<String> {
    let digits = draft.currency.digits;
    vec![
        line.kind.name().to_owned(),
        line.of.to_string(),
        line.price.clone(),
        line.count.to_string(),
        quantity(line.kind, line.quantity),
        line.amount.text(digits),
        line.cost.map_or_else(|| "–".to_owned(), |cost| cost.text(digits)),
    ]
}

/// What stands behind a line.
fn behind(line: &Line, heading: &Heading<'_>) -> String {
    let mut lines = vec![["CONTACT", "AT", "WHO", "QUANTITY", "AMOUNT", "COST"].map(str::to_owned).to_vec()];
    lines.extend(line.items.iter().map(|Item { contact, at, who, quantity: many, amount, cost }| {
        vec![
            contact.map_or_else(|| "–".to_owned(), |contact| contact.0.to_string()),
            on_the_wall(heading.zone, *at, "%Y-%m-%d %H:%M:%S"),
            who.to_string(),
            quantity(line.kind, *many),
            amount.to_string(),
            cost.map_or_else(|| "–".to_owned(), |cost| cost.to_string()),
        ]
    }));
    format!("\n{}, {}\n\n{}", line.kind.name(), line.of, aligned(&lines))
}

/// Times as times, pieces as their number.
fn quantity(kind: Kind, quantity: u64) -> String {
    match kind {
        Kind::Inbound | Kind::Outbound => clock_face(quantity * 1_000),
        Kind::Hours => clock_face(quantity),
        Kind::Handled | Kind::Sales | Kind::Penalty => quantity.to_string(),
    }
}
