/// The JSON Schema (draft 7) of a client's files, from which editors complete what is typed and mark what is wrong.
///
/// It knows names, words and shapes; what one file says of another only [`load`](crate::load()) knows.
pub const CLIENT_SCHEMA: &str = include_str!("schema.json");

#[cfg(test)]
mod tests {
    //! The schema is held against the parser: a key that one of them has and the other has not is a failure.

    use super::*;
    use crate::verb::VERBS;
    use crate::{ClientFiles, Input, SourceFile, load};
    use serde_yaml::Value;

    /// No map has such a key.
    const PROBE: &str = "probe_of_keys";

    fn schema() -> Value {
        serde_yaml::from_str(CLIENT_SCHEMA).expect("JSON")
    }

    /// What the parser says of a client's file.
    fn report(client: &str) -> Vec<(String, String)> {
        let source = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
        let (id, path) = ("acme".to_owned(), "acme".to_owned());
        let files = vec![source("acme/acme.yaml", client)];
        let input = Input {
            node: source("ringdown.yaml", "clients: [acme]"),
            clients: vec![ClientFiles { id, path, files, prompts: Vec::new() }],
            system_prompts: Vec::new(),
        };
        let diagnostics = load(&input).map_or_else(|report| report.diagnostics, |_| Vec::new());
        diagnostics.into_iter().map(|it| (it.message, it.hint.unwrap_or_default())).collect()
    }

    /// The keys that the parser knows in the place of `{}`; `None` where it takes no map of fixed keys.
    fn parsed(client: &str) -> Option<Vec<String>> {
        let refusal = format!("has no key `{PROBE}`");
        let found = report(&client.replace("{}", &format!("{{{PROBE}: 1}}")));
        let (_, hint) = found.into_iter().find(|(message, _)| message.ends_with(&refusal))?;
        let mut keys: Vec<String> = hint.strip_prefix("known: ")?.split(", ").map(str::to_owned).collect();
        if keys.last().is_some_and(|last| last == "…") {
            keys.pop();
        }
        Some(keys)
    }

    /// The keys of the map that a definition describes, itself or as one of its forms.
    fn described(definition: &str) -> Option<Vec<String>> {
        let schema = schema();
        let definition = if definition.is_empty() { &schema } else { &schema["$defs"][definition] };
        let forms = definition["anyOf"].as_sequence().into_iter().flatten();
        let found = std::iter::once(definition).chain(forms).find_map(|form| form["properties"].as_mapping());
        Some(found?.keys().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    fn hold(client: &str, definition: &str) {
        let (parsed, described) = (parsed(client), described(definition));
        assert_eq!(parsed.is_some(), described.is_some(), "{definition}: {parsed:?}, {described:?}");
        for key in parsed.iter().flatten() {
            assert!(
                described.iter().flatten().any(|it| it == key),
                "the schema of `{definition}` lacks `{key}`"
            );
        }
        for key in described.iter().flatten() {
            let refusal = format!("has no key `{key}`");
            let found = report(&client.replace("{}", &format!("{{{key}: 1}}")));
            let is_unknown = found.iter().any(|(message, _)| message.ends_with(&refusal));
            assert!(!is_unknown, "the schema of `{definition}` has `{key}`, which the parser does not know");
        }
    }

    #[test]
    fn the_schema_and_the_parser_know_the_same_keys() {
        for (client, definition) in [
            ("{}", ""),
            ("client: {}", "client"),
            ("client: {fraud: {}}", "fraud"),
            ("client: {features: {}}", "features"),
            ("client: {media: {}}", "media"),
            ("client: {recording: {}}", "recording"),
            ("client: {http: {}}", "web"),
            ("secrets: {shop: {}}", "secret"),
            ("webhooks: {crm: {}}", "webhook"),
            ("billing: {}", "billing"),
            ("billing: {inbound: {}}", "billing-inbound"),
            ("billing: {outbound: {}}", "billing-outbound"),
            ("billing: {outbound: {prefixes: {\"+34\": {}}}}", "billing-rates"),
            ("billing: {outbound: {price: {}}}", "billing-rate"),
            ("billing: {hours: {}}", "billing-each"),
            ("billing: {penalties: [{}]}", "billing-penalty"),
            ("tables: {prices: {}}", "table"),
            ("users: {alice: {}}", "user"),
            ("agents: {alice: {}}", "agent"),
            ("queues: {support: {}}", "queue"),
            ("mailboxes: {support: {}}", "mailbox"),
            ("hours: {office: {}}", "calendar"),
        ] {
            assert!(described(definition).is_some(), "{definition}");
            hold(client, definition);
        }
        let target = described("target").expect("a map");
        assert_eq!(target, ["number", "trunk"]);
    }

    #[test]
    fn the_schema_and_the_parser_know_the_same_verbs_with_the_same_fields() {
        let schema = schema();
        let steps = schema["$defs"]["step"]["anyOf"][1]["properties"].as_mapping().expect("verbs");
        let described: Vec<&str> = steps.keys().filter_map(Value::as_str).collect();
        assert_eq!(described, VERBS);
        for verb in VERBS {
            hold(&format!("flows: {{main: [{{{verb}: {{}}}}]}}"), &format!("verb-{verb}"));
        }
    }

    #[test]
    fn webhooks_may_be_told_of_each_kind_of_event() {
        let schema = schema();
        let listed = &schema["$defs"]["webhook"]["properties"]["events"]["items"]["enum"];
        let listed: Vec<_> = listed.as_sequence().into_iter().flatten().filter_map(Value::as_str).collect();
        assert_eq!(listed, events::KINDS);
    }

    #[test]
    fn verbs_that_stand_alone_are_those_that_need_no_argument() {
        let schema = schema();
        let alone: Vec<&str> = schema["$defs"]["step"]["anyOf"][0]["enum"]
            .as_sequence()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for verb in VERBS {
            let needs = format!("`{verb}` needs to be told more");
            let found = report(&format!("flows: {{main: [answer, {verb}]}}"));
            let needs_argument = found.iter().any(|(message, _)| *message == needs);
            assert_eq!(alone.contains(&verb), !needs_argument, "{verb}");
        }
    }
}
