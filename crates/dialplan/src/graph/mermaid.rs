use super::{Graph, Kind};
use std::fmt::Write as _;

pub(super) fn write(graph: &Graph) -> String {
    let mut text = String::from("flowchart TD\n");
    for (number, vertex) in graph.vertices.iter().enumerate() {
        let words = escaped(&vertex.text);
        // Writing to a String cannot fail.
        let _ = match vertex.kind {
            Kind::Flow => writeln!(text, "  n{number}([\"flow {words}\"])"),
            Kind::Step => {
                writeln!(text, "  n{number}[\"{words}<br/><small>{}</small>\"]", escaped(&vertex.place))
            }
            Kind::End => writeln!(text, "  n{number}((\" \"))"),
        };
    }
    for edge in &graph.edges {
        let arrow = if edge.is_failure { "-.->" } else { "-->" };
        let label =
            if edge.label.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(&edge.label)) };
        let _ = writeln!(text, "  n{} {arrow}{label} n{}", edge.from, edge.to);
    }
    text
}

/// Within quotes Mermaid reads `#…;` as an entity and the rest as HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '#' => escaped.push_str("#35;"),
            '"' => escaped.push_str("#quot;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '&' => escaped.push_str("#amp;"),
            c => escaped.push(c),
        }
    }
    escaped
}
