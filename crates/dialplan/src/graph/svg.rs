use super::layout::{Layout, Path, label_layer, layout};
use super::{Edge, Graph, Kind, Vertex};
use std::fmt::Write as _;

/// Pixels that a letter of the picture's monospaced 12 px font takes.
const LETTER: f64 = 7.25;
/// Between the layers; those of labels are lower than those of steps.
const STEP_HEIGHT: f64 = 44.0;
const LABEL_HEIGHT: f64 = 46.0;
const MARGIN: f64 = 24.0;
/// Room beside the picture for edges that lead to their own beginning.
const LOOP: f64 = 30.0;
/// Longer texts are cut; the whole one is the title.
const LONGEST: usize = 36;

const STYLE: &str = "\
text{font:12px ui-monospace,'DejaVu Sans Mono',monospace;text-anchor:middle;fill:#1f2328}\
.place{font-size:10px;fill:#656d76}.label{paint-order:stroke;stroke:#fff;stroke-width:4px}\
.step{fill:#f6f8fa;stroke:#57606a}.flow{fill:#0550ae;stroke:#0550ae}.flow+text{fill:#fff;font-weight:bold}\
.end{fill:#57606a}.way{fill:none;stroke:#57606a}.failure{stroke:#cf222e;stroke-dasharray:5 4}\
.label.failed{fill:#cf222e}";

pub(super) fn write(graph: &Graph) -> String {
    let label = |number: usize| letters(&graph.edges[number].label) + 4.0;
    let found = layout(graph, |vertex| width(&graph.vertices[vertex]), label);
    let (width, height) = (found.width + 2.0 * MARGIN + LOOP, top(found.layers - 1) + STEP_HEIGHT + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} \
         {height:.0}\">\n<style>{STYLE}</style>\n{}{}<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        marker("arrow", "#57606a"),
        marker("failed", "#cf222e")
    );
    for (number, edge) in graph.edges.iter().enumerate() {
        way(edge, &found.paths[number], &found, &mut svg);
    }
    for (number, vertex) in graph.vertices.iter().enumerate() {
        box_of(vertex, number, &found, &mut svg);
    }
    for (number, edge) in graph.edges.iter().enumerate() {
        label_of(edge, &found.paths[number], &found, &mut svg);
    }
    svg + "</svg>\n"
}

fn marker(id: &str, colour: &str) -> String {
    format!(
        "<marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"{colour}\"/></marker>\n"
    )
}

fn letters(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

fn width(vertex: &Vertex) -> f64 {
    match vertex.kind {
        Kind::End => 14.0,
        Kind::Flow | Kind::Step => {
            letters(&cut(&vertex.text)).max(letters(&file(vertex)) * 10.0 / 12.0) + 20.0
        }
    }
}

/// Where a layer begins.
fn top(layer: usize) -> f64 {
    MARGIN
        + (layer / 2) as f64 * (STEP_HEIGHT + LABEL_HEIGHT)
        + if layer % 2 == 1 { STEP_HEIGHT } else { 0.0 }
}

/// The last part of a step's place: a client's files lie in one folder.
fn file(vertex: &Vertex) -> String {
    vertex.place.rsplit('/').next().unwrap_or_default().to_owned()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn box_of(vertex: &Vertex, number: usize, layout: &Layout, svg: &mut String) {
    let spot = &layout.spots[number];
    let (x, y) = (spot.x + MARGIN, top(spot.layer));
    let middle = y + STEP_HEIGHT / 2.0;
    let (left, width) = (x - spot.width / 2.0, spot.width);
    // Writing to a String cannot fail.
    let _ = match vertex.kind {
        Kind::End => writeln!(svg, "<circle class=\"end\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"6\"/>", y + 7.0),
        Kind::Flow => writeln!(
            svg,
            "<g><rect class=\"flow\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{STEP_HEIGHT}\" \
             rx=\"22\"/><text x=\"{x:.1}\" y=\"{:.1}\">{}</text></g>",
            middle + 4.0,
            escaped(&cut(&vertex.text))
        ),
        Kind::Step => writeln!(
            svg,
            "<g><title>{} {}</title><rect class=\"step\" x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{STEP_HEIGHT}\" rx=\"5\"/><text x=\"{x:.1}\" y=\"{:.1}\">{}</text><text class=\"place\" x=\"{x:.1}\" \
             y=\"{:.1}\">{}</text></g>",
            escaped(&vertex.place),
            escaped(&vertex.text),
            middle - 2.0,
            escaped(&cut(&vertex.text)),
            middle + 14.0,
            escaped(&file(vertex))
        ),
    };
}

/// Draws an edge from spot to spot, upright at each of them.
fn way(edge: &Edge, path: &Path, layout: &Layout, svg: &mut String) {
    let [upper, between @ .., lower] = path.spots.as_slice() else { return around(edge, layout, svg) };
    let mut points = vec![(leaving(path, 0, 1, layout), top(layout.spots[*upper].layer) + STEP_HEIGHT)];
    for spot in between.iter().map(|spot| &layout.spots[*spot]) {
        let (x, y) = (spot.x + MARGIN, top(spot.layer));
        if spot.layer % 2 == 1 {
            points.push((x, y + LABEL_HEIGHT / 2.0));
        } else {
            // Straight between the steps of that layer.
            points.extend([(x, y), (x, y + STEP_HEIGHT)]);
        }
    }
    let last = path.spots.len() - 1;
    points.push((leaving(path, last, last - 1, layout), top(layout.spots[*lower].layer)));
    if path.is_back {
        points.reverse();
    }
    let mut line = format!("M{:.1} {:.1}", points[0].0, points[0].1);
    for pair in points.windows(2) {
        let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
        let middle = (y + to_y) / 2.0;
        // Writing to a String cannot fail.
        let _ = write!(line, "C{x:.1} {middle:.1} {to_x:.1} {middle:.1} {to_x:.1} {to_y:.1}");
    }
    let (class, marker) = classes(edge);
    let _ = writeln!(svg, "<path class=\"{class}\" marker-end=\"url(#{marker})\" d=\"{line}\"/>");
}

/// Draws an edge that leads to its own beginning, beside it.
fn around(edge: &Edge, layout: &Layout, svg: &mut String) {
    let spot = &layout.spots[edge.from];
    let (right, y) = (spot.x + spot.width / 2.0 + MARGIN, top(spot.layer));
    let (class, marker) = classes(edge);
    let (from, to, out) = (y + STEP_HEIGHT * 0.7, y + STEP_HEIGHT * 0.3, right + LOOP);
    // Writing to a String cannot fail.
    let _ = writeln!(
        svg,
        "<path class=\"{class}\" marker-end=\"url(#{marker})\" d=\"M{right:.1} {from:.1}C{out:.1} {from:.1} {out:.1} {to:.1} \
         {right:.1} {to:.1}\"/>"
    );
}

/// Where an edge leaves or enters a box: a little towards where it comes from.
fn leaving(path: &Path, own: usize, next: usize, layout: &Layout) -> f64 {
    let (spot, next) = (&layout.spots[path.spots[own]], &layout.spots[path.spots[next]]);
    let most = (spot.width / 2.0 - 10.0).max(0.0);
    spot.x + MARGIN + ((next.x - spot.x) / 4.0).clamp(-most, most)
}

fn classes(edge: &Edge) -> (&'static str, &'static str) {
    if edge.is_failure { ("way failure", "failed") } else { ("way", "arrow") }
}

fn label_of(edge: &Edge, path: &Path, layout: &Layout, svg: &mut String) {
    if edge.label.is_empty() {
        return;
    }
    let class = if edge.is_failure { "label failed" } else { "label" };
    let (x, y) = match path.spots.as_slice() {
        [] => {
            let spot = &layout.spots[edge.from];
            (spot.x + spot.width / 2.0 + MARGIN + LOOP / 2.0, top(spot.layer) - 4.0)
        }
        spots => {
            let (first, last) =
                (layout.spots[spots[0]].layer + 1, layout.spots[spots[spots.len() - 1]].layer);
            let spot = &layout.spots[spots[1 + label_layer(first, last, path.is_back) - first]];
            (spot.x + MARGIN, top(spot.layer) + LABEL_HEIGHT / 2.0 + 4.0)
        }
    };
    // Writing to a String cannot fail.
    let _ =
        writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(&edge.label));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
