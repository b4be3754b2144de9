//! Drafts of invoices: what an operator and a client are shown of them, and what neither is.

use acceptance::{Node, Said, Setup, Sipp, until_some};
use serde_json::json;
use std::time::Duration;

/// A call of a second is counted as a minute. What it costs is a number that nothing else comes to.
const BILLED: &str = "\
numbers: {\"+34911555000\": talk}
flows: {talk: [answer, {pause: 1s}, hangup]}
billing:
  currency: EUR
  inbound: {price: {minute: 0.05, connect: 0.10, increment: 60/60}, cost: {connect: 0.0371}}
  sales: {sold: {price: 15, cost: 7.0371}}
";

const OTHER: &str = "\
client: {name: Other}
users: {otheruser: {password: pw}}
flows: {main: [hangup]}
";

fn invoice(said: &Said) -> (u16, &str) {
    (said.status, said.body["total"].as_str().unwrap_or_default())
}

#[test]
fn a_client_is_shown_prices_and_never_what_anything_costs() {
    let setup = Setup::new()
        .replace("clients: [client]", "clients: [client, other]")
        .file("other/client.yaml", OTHER)
        .flows(BILLED);
    let node = Node::start(&setup);
    let operator = node.as_operator();
    let call = Sipp::caller(&node, "call-until-bye", "+34911555000").start();
    let contact = until_some(Duration::from_secs(20), "the call is over", || {
        operator.get("/calls").body["calls"][0]["contact"].as_u64()
    });
    drop(call);
    let noted =
        operator.ask("PUT", &format!("/calls/{contact}/disposition"), Some(&json!({"disposition": "sold"})));
    assert_eq!(noted.status, 200, "{noted:?}");
    let whole = until_some(Duration::from_secs(10), "the sale is in the log", || {
        let whole = operator.get("/invoices/client?contacts=true");
        (invoice(&whole) == (200, "15.15")).then_some(whole)
    });
    // 0.0371 and 7.0371, each line rounded.
    assert_eq!((&whole.body["cost"], &whole.body["margin"]), (&json!("7.08"), &json!("8.07")), "{whole:?}");
    let behind = &whole.body["lines"][0]["items"][0];
    assert_eq!((&behind["contact"], &behind["quantity"]), (&json!(contact), &json!(60)), "{whole:?}");

    let client = node.as_account(&json!({"name": "adam", "role": "administrator", "clients": ["client"]}));
    for (path, head) in [
        ("/invoices/client?contacts=true", ""),
        ("/invoices/client?contacts=true&format=csv", ""),
        ("/invoices/client?contacts=true&format=pdf", ""),
        ("/invoices/client", "Accept: application/pdf\r\n"),
        ("/invoices/client", "Accept: text/csv\r\n"),
    ] {
        let said = client.ask_with("GET", path, None, head);
        let text = said.body.to_string();
        assert_eq!(said.status, 200, "{path}: {said:?}");
        assert!(text.contains("15.15") || text.contains("15.00"), "{path}: {text}");
        // Texts of a PDF stand in parentheses; its numbers are places on the sheet.
        for hidden in ["cost", "margin", "0371", "(7.0", "EUR 7.", ",7.0", "\"7.0", "8.07\""] {
            assert!(!text.contains(hidden), "{path} {head} shows {hidden}: {text}");
        }
    }
    let csv = operator.get("/invoices/client?format=csv").body.to_string();
    assert!(csv.contains(",amount,cost"), "{csv}");
    let pdf = operator.get("/invoices/client?format=pdf");
    assert!(pdf.head.contains("content-type: application/pdf"), "{}", pdf.head);
    let text = pdf.body.as_str().expect("no JSON").to_owned();
    assert!(
        text.starts_with("%PDF-") && !text.contains("(7.0") && !text.contains("EUR 7."),
        "also an operator's PDF is for the client"
    );
}

#[test]
fn an_invoice_is_for_those_whom_it_concerns() {
    let setup = Setup::new()
        .replace("clients: [client]", "clients: [client, other]")
        .file("other/client.yaml", OTHER)
        .flows(BILLED);
    let node = Node::start(&setup);
    let operator = node.as_operator();
    assert_eq!(invoice(&operator.get("/invoices/client?month=2026-10")), (200, "0.00"));
    for (path, status) in [
        ("/invoices/client?month=2026-13", 400),
        ("/invoices/client?format=doc", 400),
        ("/invoices/client?moth=2026-10", 400),
        ("/invoices/other", 404),
        ("/invoices/nobody", 404),
    ] {
        let said = operator.get(path);
        assert_eq!(said.status, status, "{path}: {said:?}");
    }
    let other = node.as_account(&json!({"name": "olga", "role": "administrator", "clients": ["other"]}));
    assert_eq!(other.get("/invoices/client").status, 404, "that is another one's");
    let supervisor = node.as_account(&json!({"name": "sue", "role": "supervisor", "clients": ["client"]}));
    assert_eq!(supervisor.get("/invoices/client").status, 403);
}
