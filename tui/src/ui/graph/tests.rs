use super::*;
use crate::ui::testing::{POSTER, laid_out, workflow};

#[test]
fn every_edge_leads_from_node_to_node() {
    let layout = laid_out(&workflow(POSTER));
    assert_eq!(layout.drawings.len(), 18);
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
    for drawing in &laid_out(&workflow(POSTER)).drawings {
        for (index, place) in drawing.placed.iter().enumerate() {
            assert!(drawing.placed[..index].iter().all(|other| !other.meets(*place)), "{drawing:?}");
        }
    }
}

#[test]
fn only_nodes_that_may_make_media_grow() {
    let layout = laid_out(&workflow(POSTER));
    let largest = layout.drawings_at(Zoom::Large).next().unwrap();
    let height = |node: &str| largest.placed[layout.index(node).unwrap()].height;
    assert_eq!((height("title"), height("sky")), (4, 18));
    let text = "    run: draw\n    outputs: { image: { path: a.png, type: image } }\n";
    let many: String = (0..60).map(|at| format!("  n{at}:\n{text}")).collect();
    let layout = laid_out(&workflow(&format!("nodes:\n{many}")));
    assert_eq!(layout.drawings_at(Zoom::Large).count(), 0);
}

#[test]
fn nodes_of_types_that_make_no_media_keep_small_cards() {
    let text = "nodes:\n  a: { uses: text.template, with: { template: a } }\n  b: { uses: image.generate }\n";
    let types = crate::embedded::catalogue();
    let workflow = fanlight_shared::document::read(text, &types).unwrap().workflow;
    let layout = layout(&workflow, &types);
    let largest = layout.drawings_at(Zoom::Large).next().unwrap();
    assert_eq!((largest.placed[0].height, largest.placed[1].height), (4, 18));
}

#[test]
fn the_list_names_every_node_after_what_it_reads() {
    let layout = laid_out(&workflow(POSTER));
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
    let layout = laid_out(&workflow(text));
    let ports = |node: &str| layout.ports[layout.index(node).unwrap()].clone();
    assert_eq!(ports("quiet"), ["stdout"]);
    assert_eq!(ports("read"), ["report", "stdout", "exit_code"]);
    assert_eq!(ports("reader"), ["stdout"]);
}
