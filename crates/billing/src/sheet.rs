//! A draft as a PDF of A4 sheets.
//!
//! The letters are Helvetica, which every reader has, so that no font is in the file; it has those of Western European languages
//! (WinAnsiEncoding, ISO 32000-1 annex D), and others are question marks.

use crate::draft::{Draft, Item, Kind, Line};
use figures::Millis;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

/// A4 in points.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
const MARGIN: f32 = 50.0;
/// What follows a line of text.
const LEADING: f32 = 15.0;
/// Where the text of a sheet ends, above its foot.
const BOTTOM: f32 = 70.0;
const SIZE: f32 = 9.5;
const SMALL: f32 = 8.0;
const PLAIN: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");
/// Where columns end, from the left.
const COUNT_ENDS: f32 = 395.0;
const QUANTITY_ENDS: f32 = 470.0;
const AMOUNT_ENDS: f32 = WIDTH - MARGIN;

/// What stands above the lines.
#[derive(Clone, Debug)]
pub struct Heading<'a> {
    /// Who is to pay.
    pub name: &'a str,
    /// By whose clock.
    pub zone: &'a TimeZone,
    /// The moment as of which the log was read, in milliseconds since 1970.
    pub as_of: Millis,
}

/// The draft as the client sees it: nothing of what anything costs is on it. What stands behind its lines follows them, if it has that.
pub fn pdf(draft: &Draft, heading: &Heading<'_>) -> Vec<u8> {
    let mut sheets = Sheets { all: Vec::new(), at: 0.0 };
    sheets.turn();
    head(&mut sheets, draft, heading);
    table(&mut sheets, draft);
    for line in draft.lines.iter().filter(|line| !line.items.is_empty()) {
        behind(&mut sheets, line, heading.zone, draft.currency.digits);
    }
    finish(sheets.all, &format!("Invoice draft {} {}", heading.name, draft.month))
}

/// Sheets that are being written.
struct Sheets {
    all: Vec<Content>,
    /// The height of the next line of the last of them.
    at: f32,
}

impl Sheets {
    fn turn(&mut self) {
        self.all.push(Content::new());
        self.at = HEIGHT - MARGIN - 20.0;
    }

    /// Goes down, to another sheet if this one is full.
    fn down(&mut self, by: f32) {
        self.at -= by;
        if self.at < BOTTOM {
            self.turn();
        }
    }

    fn page(&mut self) -> &mut Content {
        self.all.last_mut().expect("there is one from the beginning")
    }

    fn text(&mut self, x: f32, (font, size): (Name<'_>, f32), text: &str) {
        let at = self.at;
        write(self.page(), (x, at), (font, size), text);
    }

    /// What ends at `x`.
    fn text_to(&mut self, x: f32, (font, size): (Name<'_>, f32), text: &str) {
        self.text(x - width(text, size), (font, size), text);
    }

    fn rule(&mut self, weight: f32) {
        let at = self.at + LEADING - 4.0;
        let page = self.page();
        page.set_line_width(weight).move_to(MARGIN, at).line_to(AMOUNT_ENDS, at).stroke();
    }
}

fn head(sheets: &mut Sheets, draft: &Draft, heading: &Heading<'_>) {
    let Heading { name, zone, as_of } = heading;
    let (from, to) = draft.month.bounds(zone);
    sheets.text(MARGIN, (BOLD, 20.0), "Invoice draft");
    let month = on_the_wall(zone, from, "%B %Y");
    sheets.text_to(AMOUNT_ENDS, (PLAIN, 14.0), &month);
    sheets.down(32.0);
    sheets.text(MARGIN, (BOLD, 12.0), name);
    sheets.down(LEADING + 2.0);
    let days = format!(
        "{} to {}, by the clock of {}",
        on_the_wall(zone, from, "%-d %B %Y"),
        on_the_wall(zone, to - 1, "%-d %B %Y"),
        zone.iana_name().unwrap_or("UTC")
    );
    sheets.text(MARGIN, (PLAIN, SIZE), &days);
    sheets.down(LEADING);
    let read = format!(
        "From the event log as of {}. Taxes are not included.",
        on_the_wall(zone, *as_of, "%-d %B %Y %H:%M")
    );
    sheets.text(MARGIN, (PLAIN, SIZE), &read);
    sheets.down(2.5 * LEADING);
}

fn table(sheets: &mut Sheets, draft: &Draft) {
    let digits = draft.currency.digits;
    sheets.text(MARGIN, (BOLD, SIZE), "Service");
    sheets.text_to(COUNT_ENDS, (BOLD, SIZE), "Number");
    sheets.text_to(QUANTITY_ENDS, (BOLD, SIZE), "Quantity");
    sheets.text_to(AMOUNT_ENDS, (BOLD, SIZE), draft.currency.name);
    sheets.down(LEADING);
    sheets.rule(0.8);
    for line in &draft.lines {
        // A line and its price stay together.
        if sheets.at < BOTTOM + 2.0 * LEADING {
            sheets.turn();
        }
        sheets.text(MARGIN, (PLAIN, SIZE), &cut(&service(line), COUNT_ENDS - MARGIN - 50.0, SIZE));
        sheets.text_to(COUNT_ENDS, (PLAIN, SIZE), &line.count.to_string());
        sheets.text_to(QUANTITY_ENDS, (PLAIN, SIZE), &quantity(line.kind, line.quantity));
        sheets.text_to(AMOUNT_ENDS, (PLAIN, SIZE), &line.amount.text(digits));
        sheets.down(LEADING - 4.0);
        let price = match &line.why {
            Some(why) => format!("{}: {why}", line.price),
            None => line.price.clone(),
        };
        sheets.text(MARGIN + 10.0, (PLAIN, SMALL), &cut(&price, AMOUNT_ENDS - MARGIN - 10.0, SMALL));
        sheets.down(LEADING);
    }
    sheets.rule(0.8);
    sheets.down(3.0);
    sheets.text(MARGIN, (BOLD, 11.0), "Total");
    let total = format!("{} {}", draft.currency.name, draft.total.text(digits));
    sheets.text_to(AMOUNT_ENDS, (BOLD, 11.0), &total);
    sheets.down(2.0 * LEADING);
    if !draft.unpriced.is_empty() {
        let missing = format!(
            "{} contacts have calls that nothing is agreed of; they are not included.",
            draft.unpriced.len()
        );
        sheets.text(MARGIN, (PLAIN, SIZE), &missing);
        sheets.down(LEADING);
    }
}

/// All that stands behind a line.
fn behind(sheets: &mut Sheets, line: &Line, zone: &TimeZone, digits: usize) {
    if sheets.at < BOTTOM + 5.0 * LEADING {
        sheets.turn();
    }
    sheets.down(LEADING);
    sheets.text(MARGIN, (BOLD, SIZE), &cut(&service(line), AMOUNT_ENDS - MARGIN - 80.0, SIZE));
    sheets.text_to(AMOUNT_ENDS, (BOLD, SIZE), &line.amount.text(digits));
    sheets.down(LEADING);
    for Item { contact, at, who, quantity: many, amount, .. } in &line.items {
        if let Some(contact) = contact {
            sheets.text(MARGIN, (PLAIN, SMALL), &on_the_wall(zone, *at, "%Y-%m-%d %H:%M:%S"));
            sheets.text_to(205.0, (PLAIN, SMALL), &contact.0.to_string());
        }
        sheets.text(220.0, (PLAIN, SMALL), &cut(who, COUNT_ENDS - 220.0, SMALL));
        if line.kind != Kind::Penalty {
            sheets.text_to(QUANTITY_ENDS, (PLAIN, SMALL), &quantity(line.kind, *many));
            sheets.text_to(AMOUNT_ENDS, (PLAIN, SMALL), &amount.to_string());
        }
        sheets.down(LEADING - 4.0);
    }
}

/// What a line is of, in words.
fn service(line: &Line) -> String {
    let of = &line.of;
    match line.kind {
        Kind::Inbound => format!("Calls in, {of}"),
        Kind::Outbound => format!("Calls out, {of}"),
        Kind::Handled => format!("Callers handled, queue {of}"),
        Kind::Hours => "Agents logged in".to_owned(),
        Kind::Sales => format!("Result {of}"),
        Kind::Penalty => format!("Service level missed, queue {of}"),
    }
}

/// How much, with its unit.
fn quantity(kind: Kind, quantity: u64) -> String {
    match kind {
        Kind::Inbound | Kind::Outbound => format!("{}:{:02} min", quantity / 60, quantity % 60),
        Kind::Hours => {
            let seconds = quantity / 1_000;
            format!("{}:{:02}:{:02} h", seconds / 3_600, seconds / 60 % 60, seconds % 60)
        }
        Kind::Handled | Kind::Sales => quantity.to_string(),
        Kind::Penalty => String::new(),
    }
}

fn on_the_wall(zone: &TimeZone, at: Millis, format: &str) -> String {
    let utc = Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX);
    utc.to_zoned_datetime(zone.clone()).strftime(format).to_string()
}

fn finish(sheets: Vec<Content>, title: &str) -> Vec<u8> {
    let (catalog, tree, info, plain, bold) =
        (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4), Ref::new(5));
    let count = i32::try_from(sheets.len()).unwrap_or(i32::MAX);
    let places = |sheet: i32| (Ref::new(6 + 2 * sheet), Ref::new(7 + 2 * sheet));
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids((0..count).map(|sheet| places(sheet).0)).count(count);
    pdf.document_info(info).title(TextStr(title)).creator(TextStr("Ringdown"));
    for (font, name) in [(plain, "Helvetica"), (bold, "Helvetica-Bold")] {
        pdf.type1_font(font).base_font(Name(name.as_bytes())).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (sheet, mut content) in (0..count).zip(sheets) {
        let (page, text) = places(sheet);
        let foot = format!("{title}, sheet {} of {count}", sheet + 1);
        write(&mut content, (MARGIN, 40.0), (PLAIN, SMALL), &foot);
        let mut written = pdf.page(page);
        written.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).parent(tree).contents(text);
        written.resources().fonts().pair(PLAIN, plain).pair(BOLD, bold);
        written.finish();
        pdf.stream(text, &content.finish());
    }
    pdf.finish()
}

fn write(page: &mut Content, (x, y): (f32, f32), (font, size): (Name<'_>, f32), text: &str) {
    let bytes: Vec<u8> = text.chars().map(win_ansi).collect();
    page.begin_text().set_font(font, size).next_line(x, y).show(Str(&bytes)).end_text();
}

/// A letter in WinAnsiEncoding.
fn win_ansi(letter: char) -> u8 {
    match letter {
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(letter)).unwrap_or(b'?'),
        '€' => 0x80,
        '…' => 0x85,
        '‘' => 0x91,
        '’' => 0x92,
        '“' => 0x93,
        '”' => 0x94,
        '–' => 0x96,
        '—' => 0x97,
        _ => b'?',
    }
}

/// As much of a text as fits.
fn cut(text: &str, room: f32, size: f32) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if width(&kept, size) + width("…", size) + width(letter.encode_utf8(&mut [0; 4]), size) > room {
            break;
        }
        kept.push(letter);
    }
    kept + "…"
}

/// In points. Bold letters are a little wider, but figures, which are what is set to the right, are not.
fn width(text: &str, size: f32) -> f32 {
    let thousandths: u32 = text.chars().map(letter_width).sum();
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let width = thousandths as f32;
    width * size / 1_000.0
}

/// Of Helvetica, in thousandths of its size (Adobe's font metrics), from the blank to the tilde.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

fn letter_width(letter: char) -> u32 {
    /// The widest of those outside of ASCII, but for ligatures.
    const OTHER: u16 = 1_000;
    let place = u32::from(letter).checked_sub(u32::from(' ')).map(|place| place as usize);
    u32::from(place.and_then(|place| WIDTHS.get(place)).copied().unwrap_or(OTHER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Currency, Money};

    fn draft(items: usize) -> Draft {
        let item = Item {
            contact: None,
            at: 0,
            who: "seat one".into(),
            quantity: 1,
            amount: Money::ZERO,
            cost: None,
        };
        let line = Line {
            kind: Kind::Handled,
            of: "support".into(),
            price: "1.20".into(),
            count: items,
            quantity: items as u64,
            amount: Money::units(1),
            cost: Some(Money::units(77)),
            why: None,
            items: vec![item; items],
        };
        Draft {
            client: "acme".into(),
            month: "2026-10".parse().expect("a month"),
            currency: Currency::named("EUR").expect("a currency"),
            lines: vec![line],
            total: Money::units(1),
            cost: Some(Money::units(77)),
            unpriced: Vec::new(),
        }
    }

    #[test]
    fn all_items_are_on_some_sheet_and_costs_on_none() {
        let heading = Heading { name: "Smith & Sons", zone: &TimeZone::UTC, as_of: 0 };
        let written = pdf(&draft(200), &heading);
        let text: String = written.iter().map(|byte| char::from(*byte)).collect();
        assert!(text.starts_with("%PDF-") && text.trim_end().ends_with("%%EOF"));
        assert_eq!(text.matches("(seat one)").count(), 200);
        assert_eq!(text.matches("/Type /Page\n").count(), 4, "three sheets of items behind the first");
        assert!(!text.contains("77.00"), "no cost is on it");
        assert!(text.contains("sheet 4 of 4"));
    }

    #[test]
    fn letters_are_those_of_the_encoding_of_windows() {
        let written: Vec<u8> = "Müller € – żó".chars().map(win_ansi).collect();
        assert_eq!(written, b"M\xfcller \x80 \x96 ?\xf3");
    }

    #[test]
    fn what_is_too_long_is_cut_where_there_is_no_room() {
        let cut = cut(&"agent ".repeat(40), 100.0, SIZE);
        assert!(cut.ends_with('…') && width(&cut, SIZE) <= 100.0 && width(&cut, SIZE) > 85.0, "{cut}");
        assert_eq!(super::cut("short", 100.0, SIZE), "short");
    }
}
