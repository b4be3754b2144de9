//! `lookup`: rows by their key, whole or by prefix, written out or in a CSV file.

use crate::call::{Call, flow};
use crate::support::{NODE, input};
use dialplan::{Input, SourceFile, load};

fn with_csv(client: &str, csv: &str) -> Input {
    let mut input = input(NODE, client);
    let file = (!csv.is_empty()).then(|| SourceFile { path: "acme/t.csv".into(), text: csv.into() });
    input.clients[0].files.extend(file);
    input
}

const STEPS: &str = "- lookup: {table: t, key: call.from, into: {a: area, n: n}, missing: {reject: 404}}\n\
                     - if: {when: n == 2 && area_is, then: {reject: 486}, else: {reject: 480}}\n";

/// What becomes of the call from +34600111222, whose flow wants the area `mobile` and the number 2.
fn ends(table: &str, csv: &str) -> String {
    let steps = STEPS.replace("area_is", "a == 'mobile'");
    let client = format!("tables:\n  t: {table}\n{}", flow(&steps));
    let mut call = Call::of(&with_csv(&client, csv), 0, 0);
    call.next().rsplit(" | ").next().unwrap_or_default().to_owned()
}

#[test]
fn the_longest_key_counts_that_a_value_begins_with() {
    let table = "{match: prefix, columns: {area: text, n: int}, rows: {\"+34\": {area: es, n: 1}, \"+346\": {area: mobile, n: 2}, \
                 \"+34601\": {area: other, n: 3}}}";
    assert_eq!(ends(table, ""), "reject 486 Busy Here");
    assert_eq!(ends(&table.replace("match: prefix", "match: whole"), ""), "reject 404 Not Found");
    let whole = table.replace("match: prefix, ", "").replace("\"+346\"", "\"+34600111222\"");
    assert_eq!(ends(&whole, ""), "reject 486 Busy Here");
    assert_eq!(
        ends("{match: prefix, columns: {area: text, n: int}, rows: {\"+35\": {area: mobile, n: 2}}}", ""),
        "reject 404 Not Found"
    );
}

#[test]
fn a_csv_file_has_quotes_blanks_and_either_separator() {
    let table = "{csv: t.csv, match: prefix, columns: {n: int}}";
    for csv in [
        "prefix,area,n\n+34,es,1\n+346,mobile,2\n",
        "\u{feff}prefix;area;n\r\n+346;mobile; 2 \r\n",
        "prefix,n,area\n\n\"+346\",2,\"mobile\"",
        "prefix,area,n,remark\n+34,es,1,\"two\nlines, \"\"5\"\"\"\n+346,mobile,2,\n",
    ] {
        assert_eq!(ends(table, csv), "reject 486 Busy Here", "{csv}");
    }
}

#[test]
fn what_is_wrong_with_a_csv_file_is_told_with_its_line() {
    let client = format!("tables: {{t: {{csv: t.csv, columns: {{n: int}}}}}}\n{}", flow("- hangup"));
    let report = |csv: &str| load(&with_csv(&client, csv)).expect_err("a fault").to_string();
    let long = report("key,n\na,1\nb,2,3\n");
    assert!(long.contains("acme/t.csv:3:1: error: this row has 3 cells, and the first line 2"), "{long}");
    let number = report("key,n\na,one\n");
    assert!(number.contains("acme/t.csv:2:1: error: `one` under `n` is not a whole number"), "{number}");
    let twice = report("key,n\na,1\na,2\n");
    assert!(twice.contains("acme/t.csv:3:1: error: the key `a` has a row already"), "{twice}");
    assert!(report("key,n\n\"a,1\n").contains("acme/t.csv:2:1: error: a quote has no end"));
    assert!(report("key\n").contains("a table has a key and a column at least"));
    assert!(report("key,m\n").contains("t.csv has no column `n`"));
}
