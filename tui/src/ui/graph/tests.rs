use super::*;
use crate::ui::testing::{POSTER, workflow};

#[test]
fn every_edge_leads_from_node_to_node() {
    let layout = layout(&workflow(POSTER));
    assert_eq!(layout.drawings.len(), 8);
    for drawing in &layout.drawings {
        assert_eq!(drawing.routes.len(), layout.links.len());
        for route in &drawing.routes {
            for pair in route.points.windows(2) {
                assert!(pair[0].0 == pair[1].0 || pair[0].1 == pair[1].1, "{route:?}");
            }
            let touches = |node: usize, point: &(i32, i32)| {
                let place = drawing.placed[node];
                let wide = Place {
                    x: place.x - 1,
                    y: place.y - 1,
                    width: place.width + 2,
                    height: place.height + 2,
                };
                wide.meets(Place { x: point.0, y: point.1, width: 1, height: 1 })
            };
            assert!(touches(route.from, &route.points[0]), "{drawing:?}");
            assert!(touches(route.to, &route.points[route.points.len() - 1]), "{drawing:?}");
        }
    }
}

#[test]
fn no_two_nodes_overlap() {
    for drawing in &layout(&workflow(POSTER)).drawings {
        for (index, place) in drawing.placed.iter().enumerate() {
            assert!(drawing.placed[..index].iter().all(|other| !other.meets(*place)), "{drawing:?}");
        }
    }
}

#[test]
fn the_list_names_every_node_after_what_it_reads() {
    let layout = layout(&workflow(POSTER));
    let rows: Vec<usize> = layout.lanes.iter().filter_map(|lane| lane.node).collect();
    let at = |node: usize| rows.iter().position(|it| *it == node);
    assert_eq!(rows.len(), 4);
    assert!(layout.links.iter().all(|(from, to)| at(*from) < at(*to)));
}

#[test]
fn ports_are_listed_once_and_the_most_important_first() {
    let text = r#"name: Ports
nodes:
  quiet: { run: work }
  read: { run: work, outputs: { report: { path: report.txt, type: file } } }
  reader:
    run: work
    with: { code: "${{ read.exit_code }}", both: "${{ read.report.name }} ${{ read.exit_code }}", text: "${{ quiet.stdout }}" }
outputs:
  notification: "${{ read.stdout }}"
"#;
    let layout = layout(&workflow(text));
    let ports = |node: &str| layout.ports[layout.index(node).unwrap()].clone();
    assert_eq!(ports("quiet"), ["stdout"]);
    assert_eq!(ports("read"), ["report", "stdout", "exit_code"]);
    assert_eq!(ports("reader"), ["stdout"]);
}
