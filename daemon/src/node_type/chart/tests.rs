//! The shapes and ticks of charts, and the data that they refuse.

use std::collections::BTreeMap;

use fanlight_shared::value::{Value, Values};
use image::{Rgba, RgbaImage};

use super::color::series;
use super::scene::{Scene, Shape};
use super::{bar, heatmap, histogram, line, paint, scatter, svg};
use crate::node_type::fixture::{inputs, json};
use crate::node_type::{NodeType, Runner, Workspace};

type Draw = fn(&Values) -> Result<Scene, String>;

fn drawn(node_type: &NodeType, draw: Draw, given: &[(&str, Value)]) -> Result<Scene, String> {
    draw(&inputs(node_type, given)?)
}

fn texts(scene: &Scene) -> Vec<&str> {
    let text = |shape: &'_ Shape| matches!(shape, Shape::Text(_));
    let texts = scene.shapes.iter().filter(|shape| text(shape));
    texts.map(|shape| if let Shape::Text(text) = shape { text.text.as_str() } else { "" }).collect()
}

/// Returns the number of pixels with this colour.
fn count(picture: &RgbaImage, color: Rgba<u8>) -> usize {
    picture.pixels().filter(|pixel| **pixel == color).count()
}

const SALES: &str = r#"[
    {"month": "2024-01", "region": "North", "sales": 120}, {"month": "2024-02", "region": "North", "sales": 180},
    {"month": "2024-03", "region": "North", "sales": null}, {"month": "2024-04", "region": "North", "sales": 260},
    {"month": "2024-01", "region": "South", "sales": 90}, {"month": "2024-02", "region": "South", "sales": 70},
    {"month": "2024-03", "region": "South", "sales": 150}, {"month": "2024-04", "region": "South", "sales": 140}
]"#;

#[test]
fn bars_are_as_high_as_their_numbers() {
    let rows =
        json(r#"[{"k": "a", "n": 10}, {"k": "b", "n": 20}, {"k": "c", "n": -5}, {"k": "d", "n": null}]"#);
    let scene =
        drawn(&bar::node_type(), bar::draw, &[("rows", rows), ("x", "k".into()), ("title", "T".into())])
            .unwrap();
    let boxes: Vec<f32> = scene
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Box { area, fill, .. } if *fill == series(0) => Some(area.height),
            _ => None,
        })
        .collect();
    assert_eq!(boxes.len(), 3);
    assert!((boxes[1] - 2.0 * boxes[0]).abs() < 0.1 && (boxes[2] - boxes[0] / 2.0).abs() < 0.1, "{boxes:?}");
    let texts = texts(&scene);
    for shown in ["T", "n", "a", "d", "−5", "20", "10"] {
        assert!(texts.contains(&shown), "{shown} in {texts:?}");
    }
    let picture = paint::paint(&scene, 1.0).unwrap();
    assert_eq!(picture.dimensions(), (800, 500));
    // Round corners and edges between two pixels are mixed.
    let area: f32 = scene
        .shapes
        .iter()
        .map(|shape| match shape {
            Shape::Box { area, fill, .. } if *fill == series(0) => area.width * area.height,
            _ => 0.0,
        })
        .sum();
    let filled = count(&picture, series(0)) as f32;
    assert!(filled > area * 0.95 && filled < area * 1.01, "{filled} of {area}");
}

#[test]
fn stacked_horizontal_bars_begin_where_others_end() {
    let given = [
        ("rows", json(SALES)),
        ("x", "month".into()),
        ("series", "region".into()),
        ("stacked", true.into()),
        ("horizontal", true.into()),
    ];
    let scene = drawn(&bar::node_type(), bar::draw, &given).unwrap();
    let first = |nth: usize| {
        scene.shapes.iter().find_map(|shape| match shape {
            // The legend has small ones.
            Shape::Box { area, fill, .. } if *fill == series(nth) && area.height > 13.0 => Some(*area),
            _ => None,
        })
    };
    let (north, south) = (first(0).unwrap(), first(1).unwrap());
    assert!((north.right() - south.x).abs() < 0.01 && north.y == south.y);
    assert!((south.width / north.width - 90.0 / 120.0).abs() < 0.01);
    assert!(texts(&scene).contains(&"2024-01"));
}

#[test]
fn a_line_follows_dates_and_has_a_gap_at_an_empty_cell() {
    let given =
        [("rows", json(SALES)), ("x", "month".into()), ("y", "sales".into()), ("series", "region".into())];
    let scene = drawn(&line::node_type(), line::draw, &given).unwrap();
    let lines = |nth: usize| {
        let points = |shape: &Shape| match shape {
            Shape::Line { points, color, .. } if *color == series(nth) => Some(points.clone()),
            _ => None,
        };
        scene.shapes.iter().filter_map(points).collect::<Vec<_>>()
    };
    assert_eq!(lines(0).iter().map(Vec::len).collect::<Vec<_>>(), [2], "April is alone behind the gap");
    let south = &lines(1)[0];
    assert_eq!(south.len(), 4);
    let days = |from: usize, to: usize| south[to].0 - south[from].0;
    assert!((days(0, 1) / days(1, 2) - 31.0 / 29.0).abs() < 0.01, "months are as long as they are");
    assert!(south[1].1 > south[0].1 && south[2].1 < south[1].1, "less is lower");
    let texts = texts(&scene);
    for shown in ["North", "South", "Jan 2024", "Feb", "Apr", "50", "300"] {
        assert!(texts.contains(&shown), "{shown} in {texts:?}");
    }
}

#[test]
fn dots_are_placed_by_their_numbers_and_the_trend_goes_through_them() {
    let rows = json(r#"[{"a": 0, "b": 1}, {"a": 1, "b": 3}, {"a": 2, "b": 5}, {"a": 3, "b": null}]"#);
    let given = [("rows", rows), ("x", "a".into()), ("y", "b".into()), ("trend", true.into())];
    let scene = drawn(&scatter::node_type(), scatter::draw, &given).unwrap();
    let dots: Vec<(f32, f32)> = scene
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Circle { center, .. } => Some(*center),
            _ => None,
        })
        .collect();
    assert_eq!(dots.len(), 3);
    let ends = scene.shapes.iter().rev().find_map(|shape| match shape {
        Shape::Line { points, .. } => Some(points.clone()),
        _ => None,
    });
    let ends = ends.unwrap();
    assert!((ends[0].0 - dots[0].0).abs() < 0.1 && (ends[1].1 - dots[2].1).abs() < 0.1, "{ends:?} {dots:?}");
}

#[test]
fn a_heat_map_is_darkest_at_the_greatest_number() {
    let rows =
        json(r#"[{"x": "a", "y": "u", "n": 1}, {"x": "b", "y": "u", "n": 9}, {"x": "a", "y": "v", "n": 5}]"#);
    let given = [
        ("rows", rows),
        ("x", "x".into()),
        ("y", "y".into()),
        ("value", "n".into()),
        ("values", "never".into()),
    ];
    let scene = drawn(&heatmap::node_type(), heatmap::draw, &given).unwrap();
    let picture = paint::paint(&scene, 1.0).unwrap();
    // The plot begins to the right of the names and ends left of the scale.
    let light = |x: u32, y: u32| picture.get_pixel(x, y).0[..3].iter().map(|it| u32::from(*it)).sum::<u32>();
    let (one, nine, five, nothing) = (light(150, 100), light(500, 100), light(150, 350), light(500, 350));
    assert!(nine < five && five < one, "{one} {five} {nine}");
    assert_eq!(nothing, 0xf2 + 0xf3 + 0xf6);
}

#[test]
fn a_chart_is_written_as_png_and_svg() {
    let folder = tempfile::tempdir().unwrap();
    let node_type = histogram::node_type();
    let numbers = Value::List((0..200).map(|it| Value::Int(it * it % 97)).collect());
    let given = [("rows", numbers), ("title", "How <many> & \"why\"".into()), ("scale", 2.0.into())];
    let given = inputs(&node_type, &given).unwrap();
    let Runner::Worker(run) = node_type.run else { panic!("a worker") };
    let mut workspace = Workspace::of_test(folder.path().to_owned(), BTreeMap::new());
    let made = run(&mut workspace, given).unwrap();
    let image = made["image"].as_media().unwrap();
    assert_eq!(
        (image.name.as_str(), image.width, image.height),
        ("how-many-why.png", Some(1600), Some(1000))
    );
    let svg = std::fs::read_to_string(workspace.path(&made["svg"]).unwrap()).unwrap();
    assert!(
        svg.starts_with("<svg ") && svg.contains(">How &lt;many&gt; &amp; &quot;why&quot;</text>"),
        "{svg}"
    );
    let total: i64 = made["bins"]
        .as_list()
        .unwrap()
        .iter()
        .map(|bin| match bin {
            Value::Object(cells) => cells["count"].as_int().unwrap(),
            _ => 0,
        })
        .sum();
    assert_eq!(total, 200);
}

#[test]
fn a_label_never_becomes_markup() {
    let rows = json(r#"[{"k": "<script>alert(1)</script>\u0000\u001b[2J", "n": 1}]"#);
    let given = [("rows", rows), ("x", "k".into()), ("horizontal", true.into())];
    let scene = drawn(&bar::node_type(), bar::draw, &given).unwrap();
    let svg = svg::write(&scene);
    assert!(
        !svg.contains("<script")
            && svg.contains("&lt;script&gt;")
            && !svg.contains('\u{1b}')
            && !svg.contains('\0')
    );
}

#[test]
fn an_error_says_how_to_make_the_data_drawable() {
    let bar = |rows: &str, more: &[(&str, Value)]| {
        let mut given = vec![("rows", json(rows)), ("x", "k".into())];
        given.extend(more.iter().cloned());
        drawn(&bar::node_type(), bar::draw, &given).unwrap_err()
    };
    assert_eq!(bar("[]", &[]), "there are no rows to show");
    assert!(
        bar(r#"[{"k": "a", "n": 1}, {"k": "a", "n": 2}]"#, &[]).contains("combine them with `table.group`")
    );
    assert!(
        bar(r#"[{"k": "a", "n": "x"}]"#, &[("y", "n".into())])
            .contains("row 0, column `n`: `x` is not a number")
    );
    assert!(bar(r#"[{"k": "a", "n": "x"}]"#, &[]).contains("no column has only numbers"));
    assert!(bar(r#"[{"k": null, "n": 1}]"#, &[]).contains("row 0, column `k`: it is empty"));
    assert!(bar(r#"[{"k": "a", "n": null}]"#, &[("y", "n".into())]).contains("no row has a number"));
    let names = [("rows", json(r#"[{"k": "a", "n": 1}]"#)), ("x", "k".into()), ("y", "n".into())];
    assert!(
        drawn(&scatter::node_type(), scatter::draw, &names)
            .unwrap_err()
            .contains("dots need numbers or dates")
    );
    let twice = json(r#"[{"x": 1, "y": 1, "n": 1}, {"x": 1, "y": 1, "n": 2}]"#);
    let given = [("rows", twice), ("x", "x".into()), ("y", "y".into()), ("value", "n".into())];
    assert!(
        drawn(&heatmap::node_type(), heatmap::draw, &given)
            .unwrap_err()
            .contains("combine them with `table.group`")
    );
    let many = Value::List((0..31).map(|it| json(&format!(r#"{{"s": "{it}", "n": 1}}"#))).collect());
    let given = [("rows", many), ("y", "n".into()), ("series", "s".into())];
    assert!(drawn(&line::node_type(), line::draw, &given).unwrap_err().contains("there are 31 series"));
}

#[test]
fn numbers_too_large_to_draw_are_refused_and_near_ones_have_different_labels() {
    let line = |rows: &str| drawn(&line::node_type(), line::draw, &[("rows", json(rows))]);
    for rows in ["[1e308, -1e308]", "[1, -1e200]"] {
        assert!(line(rows).unwrap_err().contains("can't be drawn"), "{rows}");
    }
    for rows in ["[0, 5e-324]", "[1, 1.0000000000000002]", "[NaN, 1, Infinity]", "[7]", "[1e16, 1e16]"] {
        let svg = svg::write(&line(rows).unwrap());
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{rows}: {svg}");
    }
    let stamps = line("[1700000000, 1700003600]").unwrap();
    let texts = texts(&stamps);
    let mut different = texts.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), texts.len(), "{texts:?}");
}

#[test]
fn a_line_follows_the_order_of_the_names_not_that_of_its_rows() {
    let rows = json(
        r#"[{"k": "a", "s": 1, "n": 1}, {"k": "b", "s": 1, "n": 1}, {"k": "c", "s": 1, "n": 1},
            {"k": "c", "s": 2, "n": 2}, {"k": "a", "s": 2, "n": 2}, {"k": "b", "s": 2, "n": 2}]"#,
    );
    let given = [("rows", rows), ("x", "k".into()), ("y", "n".into()), ("series", "s".into())];
    let scene = drawn(&line::node_type(), line::draw, &given).unwrap();
    let second = scene.shapes.iter().find_map(|shape| match shape {
        Shape::Line { points, color, .. } if *color == series(1) => Some(points.clone()),
        _ => None,
    });
    assert!(second.unwrap().is_sorted_by(|one, next| one.0 < next.0));
}

#[test]
fn a_row_whose_x_is_not_a_number_is_named() {
    let rows = json(r#"[{"x": 1, "n": 1}, {"x": NaN, "n": 1}]"#);
    let given = [("rows", rows), ("x", "x".into()), ("y", "n".into())];
    let error = drawn(&line::node_type(), line::draw, &given).unwrap_err();
    assert!(error.starts_with("row 1, column `x`: "), "{error}");
}

#[test]
fn years_have_no_comma_and_names_beside_a_chart_do_not_overlap() {
    let years = json(r#"[{"year": 2015, "n": 1}, {"year": 2024, "n": 2}]"#);
    let given = [("rows", years), ("x", "year".into()), ("y", "n".into())];
    let scene = drawn(&line::node_type(), line::draw, &given).unwrap();
    assert!(texts(&scene).contains(&"2016"), "{:?}", texts(&scene));
    let many = Value::List((0..300).map(|nth| json(&format!(r#"{{"k": "name {nth}", "n": 1}}"#))).collect());
    let given = [("rows", many), ("x", "k".into()), ("horizontal", true.into())];
    let scene = drawn(&bar::node_type(), bar::draw, &given).unwrap();
    let mut names: Vec<f32> = scene
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Text(text) if text.text.starts_with("name") => Some(text.at.1),
            _ => None,
        })
        .collect();
    names.sort_by(f32::total_cmp);
    assert!(names.len() > 10 && names.windows(2).all(|pair| pair[1] - pair[0] > 12.0), "{names:?}");
}

#[test]
fn a_shape_that_crosses_an_edge_is_clipped() {
    let mut scene = Scene {
        width: 60.0,
        height: 60.0,
        background: Rgba([255, 255, 255, 255]),
        title: String::new(),
        shapes: Vec::new(),
    };
    let black = Rgba([0, 0, 0, 255]);
    for center in [(60.0, 30.0), (60.0, 60.0), (30.0, 60.0)] {
        scene.circle(center, 10.0, black);
    }
    let picture = paint::paint(&scene, 1.0).unwrap();
    assert!((0..60).all(|y| picture.get_pixel(5, y).0 == [255; 4]), "nothing appears at the other edge");
    assert!(picture.get_pixel(58, 30).0 == [0, 0, 0, 255] && picture.get_pixel(30, 58).0 == [0, 0, 0, 255]);
}
