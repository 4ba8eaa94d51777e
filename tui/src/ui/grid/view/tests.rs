mod large;

use std::sync::Arc;

use fanlight_shared::event::{LiveEvent, Progress};
use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::Origin;
use fanlight_shared::problem::{Problem, Span};
use fanlight_shared::resources::GpuSlot;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::run_state::{Attempt, RunState};
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;
use fanlight_shared::workflow::Action;

use super::*;
use crate::ui::graph::Zoom;
use crate::ui::model::grid::Zooming;
use crate::ui::products::Made;
use crate::ui::testing::{self, busy, run, run_id, with_runs};

const SIZES: [(u16, u16); 4] = [(60, 20), (80, 24), (120, 40), (200, 60)];

/// Returns a model with this graph on screen, laid out, and the cursor on a node.
fn laid(mut model: Model, text: &str, selected: &str) -> Model {
    let workflow = testing::workflow(text);
    let layout = testing::laid_out(&workflow);
    if let Some(open) = &mut model.workflow {
        open.document.workflow = Some(workflow.clone());
        open.layout = Some(layout.clone());
    }
    if text != testing::POSTER {
        testing::change_state(&mut model, |state| {
            *state = RunState::new(workflow.nodes.keys().cloned());
            state.status = RunStatus::Running;
        });
    }
    if let Some(shown) = &mut model.shown {
        shown.workflow = Some(workflow);
        shown.layout = Some(layout);
    }
    model.grid.selected = Some(selected.to_owned());
    model
}

fn status(model: &mut Model, node: &str, status: NodeStatus) {
    testing::change_state(model, |state| {
        let node = state.nodes.get_mut(node).unwrap_or_else(|| panic!("no node"));
        node.whole.status = status;
    });
}

fn poster() -> Model {
    let mut model = laid(busy(), testing::POSTER, "title");
    model.grid.products.of(model.workflow_id());
    for number in 1..=9 {
        let made = |text: &str| Made { number: Some(number), value: Some(Value::from(text)) };
        model.grid.products.put("title", "stdout", run_id(number), made("Greetings from Hove"));
        model.grid.products.put("poster", "image", run_id(number), made("poster.png"));
    }
    model
}

/// Returns a diffusion workflow, with long edges across several layers.
fn diffusion() -> String {
    let edges: &[(&str, &[&str])] = &[
        ("checkpoint", &[]),
        ("prompt", &[]),
        ("negative", &[]),
        ("seed", &[]),
        ("encode", &["checkpoint", "prompt"]),
        ("encode_negative", &["checkpoint", "negative"]),
        ("latent", &["seed"]),
        ("sampler", &["checkpoint", "encode", "encode_negative", "latent"]),
        ("decode", &["sampler", "checkpoint"]),
        ("upscale", &["decode"]),
        ("caption", &["prompt"]),
        ("watermark", &["upscale", "caption"]),
        ("save", &["watermark"]),
        ("report", &["save", "seed"]),
    ];
    file(
        edges
            .iter()
            .map(|(name, reads)| ((*name).to_owned(), reads.iter().map(|it| (*it).to_owned()).collect())),
    )
}

fn file(nodes: impl Iterator<Item = (String, Vec<String>)>) -> String {
    let mut text = "name: Graph\nnodes:\n".to_owned();
    for (name, reads) in nodes {
        text.push_str(&format!("  {name}:\n    run: work\n"));
        if !reads.is_empty() {
            text.push_str("    with:\n");
            for read in reads {
                text.push_str(&format!("      {read}: \"${{{{ {read}.stdout }}}}\"\n"));
            }
        }
    }
    text
}

/// Layers of ten, each node reading one or two of the layer before.
fn many(count: usize) -> String {
    let name = |at: usize| format!("step_{at}");
    file((0..count).map(|at| {
        let mut reads = Vec::new();
        if at >= 10 {
            reads.push(name(at - 10));
            if at % 3 == 0 {
                reads.push(name(at - 10 - at % 10 + (at * 7) % 10));
            }
        }
        reads.dedup();
        (name(at), reads)
    }))
}

fn pictures(name: &str, model: &mut Model) {
    for (columns, rows) in SIZES {
        model.size = (columns, rows);
        let drawn = |area: Rect, buffer: &mut Buffer, model: &Model| {
            view(model, &Theme::default(), area, buffer, &mut Areas::default());
        };
        testing::shot(name, columns, rows, |area, buffer| drawn(area, buffer, model));
        let text = testing::draw(columns, rows, |area, buffer| drawn(area, buffer, model));
        insta::assert_snapshot!(format!("{name}__{columns}x{rows}"), text);
    }
}

#[test]
fn a_run_in_the_middle() {
    pictures("running", &mut poster());
}

#[test]
fn a_run_that_failed() {
    let mut model = laid(with_runs(&[run(2, RunStatus::Failed)]), testing::POSTER, "framed");
    pictures("failed", &mut model);
}

#[test]
fn a_workflow_that_never_ran_with_problems() {
    let mut model = laid(testing::opened(), testing::POSTER, "sky");
    if let Some(open) = &mut model.workflow {
        let problem = Problem::warning("unused", Span::default(), "nothing reads `title`").of_node("title");
        open.document.problems.push(problem);
    }
    pictures("planned", &mut model);
}

#[test]
fn long_edges_have_lanes_of_their_own() {
    let mut model = laid(busy(), &diffusion(), "checkpoint");
    for done in ["checkpoint", "prompt", "negative", "seed", "encode", "encode_negative", "latent"] {
        status(&mut model, done, NodeStatus::Completed);
    }
    status(&mut model, "sampler", NodeStatus::Running);
    pictures("diffusion", &mut model);
}

#[test]
fn two_hundred_nodes() {
    let mut model = laid(busy(), &many(200), "step_105");
    for at in 0..100 {
        status(&mut model, &format!("step_{at}"), NodeStatus::Completed);
    }
    status(&mut model, "step_103", NodeStatus::Running);
    status(&mut model, "step_104", NodeStatus::Failed);
    pictures("two_hundred", &mut model);
    model.grid.zooming = Zooming::Fit;
    model.size = (200, 60);
    testing::shot("two_hundred_fit", 200, 60, |area, buffer| {
        view(&model, &Theme::default(), area, buffer, &mut Areas::default());
    });
    model.grid.zooming = Zooming::At(Zoom::Card);
    testing::shot("two_hundred_card", 120, 40, |area, buffer| {
        view(&model, &Theme::default(), area, buffer, &mut Areas::default());
    });
}

#[test]
fn two_thousand_nodes_open() {
    let model = laid(busy(), &many(2_000), "step_1005");
    let drawn = testing::draw(120, 40, |area, buffer| {
        view(&model, &Theme::default(), area, buffer, &mut Areas::default());
    });
    assert!(drawn.contains("step_1005"), "{drawn}");
}

#[test]
fn without_unicode_only_ascii_is_drawn() {
    let mut model = poster();
    model.options.ascii = true;
    let text = testing::draw(120, 40, |area, buffer| {
        view(&model, &Theme::default(), area, buffer, &mut Areas::default());
    });
    assert!(!text.contains(['╭', '─', '▸', '✓']), "{text}");
}

/// 200 nodes in a screen of 120 × 40, one of them running.
fn running(node: &str, zoom: Zoom) -> Model {
    let mut model = laid(busy(), &many(200), "step_105");
    status(&mut model, node, NodeStatus::Running);
    model.options.motion = true;
    model.grid.zooming = Zooming::At(zoom);
    model.size = (120, 40);
    model
}

fn areas(model: &Model) -> Areas {
    let (columns, rows) = model.size;
    let mut areas = Areas::default();
    testing::draw(columns, rows, |area, buffer| view(model, &Theme::default(), area, buffer, &mut areas));
    areas
}

#[test]
fn the_last_words_of_an_answer_stream_into_its_card() {
    let text = "name: Haiku\nnodes:\n  haiku:\n    run: ask\n";
    let mut model = laid(busy(), text, "haiku");
    // A type that writes its text piece by piece.
    let mut workflow = (*testing::workflow(text)).clone();
    workflow.nodes["haiku"].action = Action::Uses("llm.chat".to_owned());
    let workflow = Some(Arc::new(workflow));
    if let Some(open) = &mut model.workflow {
        open.document.workflow.clone_from(&workflow);
    }
    if let Some(shown) = &mut model.shown {
        shown.workflow = workflow;
    }
    testing::change_state(&mut model, |state| {
        let node = &mut state.nodes.get_mut("haiku").unwrap().whole;
        node.status = NodeStatus::Running;
        node.attempts.push(fanlight_shared::run_state::Attempt::new(1, testing::NOW));
    });
    model.size = (60, 20);
    let mut report = |event: LiveEvent| {
        testing::change_state(&mut model, |state| state.fold_live(&event));
        testing::draw(60, 20, |area, buffer| {
            view(&model, &Theme::default(), area, buffer, &mut Areas::default());
        })
    };
    let progress = |message: Option<&str>| LiveEvent::NodeProgress {
        node: "haiku".to_owned(),
        item: ItemPath::WHOLE,
        progress: Progress { fraction: None, message: message.map(str::to_owned) },
    };
    let words = |words: &str| LiveEvent::LogUpdate {
        node: "haiku".to_owned(),
        item: ItemPath::WHOLE,
        attempt: 1,
        end: 100,
        last_line: Some(words.to_owned()),
    };
    let screen = report(progress(Some("waits for m")));
    assert!(screen.contains("waits for m"), "{screen}");
    report(progress(None));
    report(words("An old silent pond, a frog jumps"));
    let screen = report(words("An old silent pond, a frog jumps into the pond"));
    assert!(screen.contains("into the pond") && !screen.contains("An old"), "{screen}");
}

#[test]
fn a_card_shows_what_its_node_has_spent_after_its_time() {
    let mut model = poster();
    testing::change_state(&mut model, |state| {
        state.nodes.get_mut("sky").unwrap().spent.output_tokens = 950;
    });
    let mut drawn = |cost_usd: Option<f64>| {
        testing::change_state(&mut model, |state| {
            state.nodes.get_mut("sky").unwrap().spent.cost_usd = cost_usd
        });
        testing::draw(120, 40, |area, buffer| {
            view(&model, &Theme::default(), area, buffer, &mut Areas::default());
        })
    };
    assert!(drawn(None).contains("0.4 s · 950 tok"));
    assert!(drawn(Some(0.0031)).contains("0.4 s · $0.0031"));
}

fn progress(node: &str) -> Notification {
    let progress = Progress { fraction: Some(0.5), message: None };
    let event = LiveEvent::NodeProgress { node: node.to_owned(), item: ItemPath::WHOLE, progress };
    Notification::Live { workflow_id: testing::workflow_id(), run_id: run_id(5), event }
}

#[test]
fn events_that_are_not_in_view_change_nothing() {
    let near = areas(&running("step_105", Zoom::Card));
    assert!(near.shows(&progress("step_105")), "the card shows how far it is");
    assert!(!near.shows(&progress("step_199")), "that node is out of view");
    let small = areas(&running("step_105", Zoom::Chip));
    assert!(!small.shows(&progress("step_105")), "a chip has no room for how far it is");
}

#[test]
fn nothing_is_animated_for_a_node_out_of_view() {
    assert_eq!(areas(&running("step_105", Zoom::Card)).tick, Some(FRAME_INTERVAL));
    assert_eq!(areas(&running("step_199", Zoom::Card)).tick, None);
}

#[test]
fn a_card_says_what_its_node_waits_for_and_whether_a_stand_in_answered() {
    use fanlight_shared::event::{Activity, Prediction};
    let text = "nodes:\n  ask: { run: \"true\" }\n  told: { run: \"true\" }\n";
    let mut model = laid(busy(), text, "ask");
    status(&mut model, "told", NodeStatus::Completed);
    testing::change_state(&mut model, |state| {
        state.nodes["ask"].waits_for = Some("waits for `api.house`: 8 at once".into());
        let offline =
            Prediction { provider: "offline".into(), model: "offline".into(), ..Prediction::default() };
        let activity = Activity { predictions: vec![offline], ..Activity::default() };
        state.nodes["told"].whole.activity = Some(Box::new(activity));
    });
    model.grid.zooming = Zooming::At(Zoom::Card);
    let shown = testing::screen(&mut model, 120, 40);
    assert!(shown.contains("waits for `api") && shown.contains("· offline"), "{shown}");
}

#[test]
fn a_card_names_the_gpu_of_its_running_node() {
    let mut model = laid(busy(), "nodes:\n  ask: { run: \"true\" }\n  told: { run: \"true\" }\n", "ask");
    model.grid.zooming = Zooming::At(Zoom::Card);
    let started = Time(model.now.0 - 4_000);
    let gpu = |id: &str, part| GpuSlot { id: id.into(), uuid: None, name: None, part };
    let one = vec![gpu("1", 250)];
    let four = ["0", "1", "2", "3"].map(|id| gpu(id, 1000)).to_vec();
    for (gpus, shown) in [(one, "s · GPU 1 "), (four, "s · 4 GPUs ")] {
        testing::change_state(&mut model, |state| {
            let whole = &mut state.nodes["ask"].whole;
            (whole.status, whole.progress) = (NodeStatus::Running, None);
            whole.attempts = vec![Attempt { gpus, ..Attempt::new(1, started) }];
        });
        let text = testing::screen(&mut model, 120, 40);
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn the_card_of_a_cached_node_names_the_run_that_computed_its_result() {
    let mut model = poster();
    testing::change_state(&mut model, |state| {
        let sky = &mut state.nodes["sky"].whole;
        sky.status = NodeStatus::Cached;
        sky.attempts.clear();
        let origin = Origin {
            run_id: run_id(1),
            run: "poster#1".to_owned(),
            node: "sky".to_owned(),
            item: ItemPath::WHOLE,
        };
        sky.origin = Some(Box::new(origin));
    });
    let text = testing::screen(&mut model, 120, 40);
    assert!(text.contains("≡ sky") && text.contains("│ poster#1"), "{text}");
}
