//! Where the vertices of a graph stand: in layers from top to bottom, after Sugiyama.
//!
//! Steps stand in even layers, and each edge has a place of its own in every layer between, so that labels (in the first of
//! them) never lie on each other. Within a layer the order is that of the neighbours' mean; so are the places, as far as
//! the widths leave them free.

use super::Graph;
use std::collections::HashMap;

/// A place in a layer.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// Of its middle.
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) layer: usize,
    /// Those joined to it in the layer above and in the one below.
    above: Vec<usize>,
    below: Vec<usize>,
}

/// A graph with its places.
#[derive(Debug)]
pub(super) struct Layout {
    /// First those of the vertices, then those of the edges.
    pub(super) spots: Vec<Spot>,
    /// Of each edge, from the upper end to the lower; empty for one that leads to its own beginning.
    pub(super) paths: Vec<Path>,
    pub(super) layers: usize,
    pub(super) width: f64,
}

/// An edge's spots, its ends among them.
#[derive(Debug, Default)]
pub(super) struct Path {
    pub(super) spots: Vec<usize>,
    /// Whether it leads upwards.
    pub(super) is_back: bool,
}

/// Between two neighbours of a layer.
const GAP: f64 = 24.0;
/// More rounds change nothing that is seen.
const ROUNDS: usize = 12;

/// Lays a graph out. `width` is that of a vertex, `label` that of an edge's label.
pub(super) fn layout(graph: &Graph, width: impl Fn(usize) -> f64, label: impl Fn(usize) -> f64) -> Layout {
    let back = back_edges(graph);
    let ranks = ranks(graph, &back);
    let spot = |width, layer| Spot { x: 0.0, width, layer, above: Vec::new(), below: Vec::new() };
    let mut spots: Vec<Spot> = ranks.iter().enumerate().map(|(v, rank)| spot(width(v), rank * 2)).collect();
    let mut paths = Vec::new();
    for (number, edge) in graph.edges.iter().enumerate() {
        let is_back = back[number];
        let (upper, lower) = if is_back { (edge.to, edge.from) } else { (edge.from, edge.to) };
        let mut path = Path { spots: Vec::new(), is_back };
        if upper != lower {
            path.spots.push(upper);
            let (first, last) = (spots[upper].layer + 1, spots[lower].layer);
            for layer in first..last {
                let width = if layer == label_layer(first, last, is_back) { label(number) } else { 0.0 };
                spots.push(spot(width, layer));
                path.spots.push(spots.len() - 1);
            }
            path.spots.push(lower);
            for pair in path.spots.windows(2) {
                spots[pair[0]].below.push(pair[1]);
                spots[pair[1]].above.push(pair[0]);
            }
        }
        paths.push(path);
    }
    let layers = 1 + spots.iter().map(|spot| spot.layer).max().unwrap_or(0);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); layers];
    (0..spots.len()).for_each(|place| rows[spots[place].layer].push(place));
    order(&mut rows, &spots);
    let width = place(&rows, &mut spots);
    Layout { spots, paths, layers, width }
}

/// A label stands beside the step that its branch belongs to.
pub(super) fn label_layer(first: usize, last: usize, is_back: bool) -> usize {
    if is_back { last - 1 } else { first }
}

/// Edges that close a circle when the graph is walked from its first vertex.
fn back_edges(graph: &Graph) -> Vec<bool> {
    let mut out: HashMap<usize, Vec<usize>> = HashMap::new();
    for (number, edge) in graph.edges.iter().enumerate() {
        out.entry(edge.from).or_default().push(number);
    }
    let mut back = vec![false; graph.edges.len()];
    // 0: not seen, 1: on the way here, 2: done.
    let mut state = vec![0_u8; graph.vertices.len()];
    for root in 0..graph.vertices.len() {
        let mut stack = vec![(root, 0)];
        if state[root] != 0 {
            continue;
        }
        state[root] = 1;
        while let Some((vertex, next)) = stack.last_mut() {
            let Some(edge) = out.get(vertex).and_then(|edges| edges.get(*next)).copied() else {
                state[*vertex] = 2;
                stack.pop();
                continue;
            };
            *next += 1;
            let to = graph.edges[edge].to;
            match state[to] {
                0 => {
                    state[to] = 1;
                    stack.push((to, 0));
                }
                1 => back[edge] = true,
                _ => {}
            }
        }
    }
    back
}

/// How many steps at most lead to each vertex.
fn ranks(graph: &Graph, back: &[bool]) -> Vec<usize> {
    let mut ranks = vec![0; graph.vertices.len()];
    // Without the edges back there is no circle, so that this ends.
    loop {
        let mut is_grown = false;
        for (edge, is_back) in graph.edges.iter().zip(back) {
            if !is_back && ranks[edge.to] <= ranks[edge.from] {
                ranks[edge.to] = ranks[edge.from] + 1;
                is_grown = true;
            }
        }
        if !is_grown {
            return ranks;
        }
    }
}

/// Orders each layer by the mean place of its neighbours in the layer before, downwards and upwards in turn.
fn order(rows: &mut [Vec<usize>], spots: &[Spot]) {
    let mut places = vec![0.0; spots.len()];
    for row in rows.iter() {
        number(row, &mut places);
    }
    for round in 0..ROUNDS {
        let is_down = round % 2 == 0;
        let count = rows.len();
        for step in 0..count {
            let row = &mut rows[if is_down { step } else { count - 1 - step }];
            let neighbours = |spot: usize| if is_down { &spots[spot].above } else { &spots[spot].below };
            let mean = |spot: usize| mean(neighbours(spot), &places).unwrap_or(places[spot]);
            let mut keyed: Vec<(f64, usize)> = row.iter().map(|spot| (mean(*spot), *spot)).collect();
            keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
            *row = keyed.into_iter().map(|(_, spot)| spot).collect();
            number(row, &mut places);
        }
    }
}

/// Places of a row's spots, as shares of the row, so that rows of different lengths compare.
fn number(row: &[usize], places: &mut [f64]) {
    for (place, spot) in row.iter().enumerate() {
        places[*spot] = (place as f64 + 0.5) / row.len() as f64;
    }
}

fn mean(spots: &[usize], places: &[f64]) -> Option<f64> {
    let sum: f64 = spots.iter().map(|spot| places[*spot]).sum();
    (!spots.is_empty()).then(|| sum / spots.len() as f64)
}

/// Gives each spot its x, and the width of all.
fn place(rows: &[Vec<usize>], spots: &mut [Spot]) -> f64 {
    for row in rows {
        let wanted = vec![0.0; row.len()];
        settle(row, &wanted, spots);
    }
    for round in 0..ROUNDS {
        let is_down = round % 2 == 0;
        for step in 0..rows.len() {
            let row = &rows[if is_down { step } else { rows.len() - 1 - step }];
            let places: Vec<f64> = spots.iter().map(|spot| spot.x).collect();
            let wanted: Vec<f64> = row
                .iter()
                .map(|spot| {
                    let Spot { above, below, x, .. } = &spots[*spot];
                    mean(if is_down { above } else { below }, &places).unwrap_or(*x)
                })
                .collect();
            settle(row, &wanted, spots);
        }
    }
    let left = spots.iter().map(|spot| spot.x - spot.width / 2.0).fold(f64::INFINITY, f64::min);
    spots.iter_mut().for_each(|spot| spot.x -= left);
    spots.iter().map(|spot| spot.x + spot.width / 2.0).fold(0.0, f64::max)
}

/// Puts the spots of a row where they are wanted, as far as their widths allow: in the middle between what pushing to the right
/// and what pushing to the left makes of it.
fn settle(row: &[usize], wanted: &[f64], spots: &mut [Spot]) {
    let apart = |one: usize, other: usize| (spots[one].width + spots[other].width) / 2.0 + GAP;
    let mut right = wanted.to_vec();
    for i in 1..row.len() {
        right[i] = right[i].max(right[i - 1] + apart(row[i - 1], row[i]));
    }
    let mut left = wanted.to_vec();
    for i in (1..row.len()).rev() {
        left[i - 1] = left[i - 1].min(left[i] - apart(row[i - 1], row[i]));
    }
    for (i, spot) in row.iter().enumerate() {
        spots[*spot].x = (left[i] + right[i]) / 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Edge, Kind, Vertex};
    use proptest::prelude::*;

    fn graph(vertices: usize, edges: &[(usize, usize)]) -> Graph {
        let vertex = Vertex { kind: Kind::Step, text: "step".into(), place: "x.yaml:1".into() };
        let edge = |(from, to): &(usize, usize)| Edge {
            from: from % vertices,
            to: to % vertices,
            label: "label".into(),
            is_failure: false,
        };
        Graph { vertices: vec![vertex; vertices], edges: edges.iter().map(edge).collect() }
    }

    proptest! {
        #[test]
        fn nothing_lies_on_its_neighbour_and_edges_lead_downwards(
            vertices in 1_usize..20,
            edges in prop::collection::vec((0_usize..20, 0_usize..20), 0..40),
        ) {
            let graph = graph(vertices, &edges);
            let found = layout(&graph, |vertex| 40.0 + vertex as f64, |_| 30.0);
            for layer in 0..found.layers {
                let mut row: Vec<&Spot> = found.spots.iter().filter(|spot| spot.layer == layer).collect();
                row.sort_by(|one, other| one.x.total_cmp(&other.x));
                for pair in row.windows(2) {
                    let apart = pair[1].x - pair[0].x - (pair[0].width + pair[1].width) / 2.0;
                    prop_assert!(apart > GAP - 0.1, "{apart} between {:?} and {:?}", pair[0], pair[1]);
                }
                let inside = |spot: &&&Spot| spot.x - spot.width / 2.0 > -0.1 && spot.x + spot.width / 2.0 < found.width + 0.1;
                prop_assert_eq!(row.iter().filter(inside).count(), row.len());
            }
            for (edge, path) in graph.edges.iter().zip(&found.paths) {
                let layers: Vec<usize> = path.spots.iter().map(|spot| found.spots[*spot].layer).collect();
                prop_assert!(layers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{layers:?}");
                prop_assert_eq!(layers.is_empty(), edge.from == edge.to);
                prop_assert!(layers.is_empty() || layers.len() > 2, "no room for a label: {layers:?}");
            }
        }
    }
}
