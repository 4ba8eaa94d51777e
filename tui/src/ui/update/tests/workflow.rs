//! Home, opening, files that change.

use super::*;
use crate::ui::message::Came;
use crate::ui::testing::{POSTER, opened, workflow};

fn document(example: Option<&str>, text: &str) -> crate::ui::message::Document {
    crate::ui::message::Document {
        path: Some("/home/ada/poster.yaml".into()),
        example: example.map(str::to_owned),
        workflow_id: None,
        name: "poster.yaml".to_owned(),
        text: text.into(),
        workflow: Some(workflow(text)),
        problems: Vec::new(),
    }
}

fn home() -> Model {
    let mut model = connected();
    model.options.examples = vec!["poster".to_owned(), "train".to_owned()];
    begin(&mut model);
    model
}

#[test]
fn three_keys_from_an_empty_folder_to_the_form() {
    let mut model = home();
    update(&mut model, Message::Came(Box::new(Came::Files(Vec::new()))));
    update(&mut model, Message::Came(Box::new(Came::Document(Box::new(document(Some("poster"), POSTER))))));
    press(&mut model, "r");
    assert!(model.workflow.is_some());
    assert!(matches!(model.layers.as_slice(), [Layer::Form(_)]), "{:?}", model.layers);
}

#[test]
fn a_graph_is_laid_out_once_whoever_wants_it() {
    let mut model = home();
    update(&mut model, Message::Came(Box::new(Came::Files(Vec::new()))));
    let laid = |effects: &[Effect]| effects.iter().filter(|it| matches!(it, Effect::Layout(_))).count();
    let read = Came::Document(Box::new(document(Some("poster"), POSTER)));
    let read = update(&mut model, Message::Came(Box::new(read)));
    let opened = press(&mut model, "enter");
    assert_eq!((laid(&read), laid(&opened)), (1, 0), "what home asked for is on its way");
    let version = workflow(POSTER).version.clone();
    let layout = std::sync::Arc::new(crate::ui::graph::layout(&workflow(POSTER)));
    update(&mut model, Message::Came(Box::new(Came::Graph(version, layout))));
    assert!(model.workflow.unwrap().layout.is_some());
}

#[test]
fn a_new_file_is_made_from_the_chosen_example() {
    let mut model = home();
    press(&mut model, "N");
    assert!(screen(&mut model, 100, 30).contains("New workflow from poster"));
    let effects = press(&mut model, "enter");
    let file = effects.iter().find_map(|it| match it {
        Effect::NewFile { example, path } => Some((example.as_str(), path.clone())),
        _ => None,
    });
    assert_eq!(file, Some(("poster", "./poster.yaml".into())));
}

#[test]
fn an_edited_file_is_checked_and_shown_again() {
    let mut model = opened();
    assert!(press(&mut model, "e").contains(&Effect::Edit("/home/ada/poster.yaml".into())));
    let changed = POSTER.replace("Seaside", "Mountain");
    update(&mut model, Message::Came(Box::new(Came::Document(Box::new(document(None, &changed))))));
    let open = model.workflow.as_ref().unwrap();
    assert_eq!(open.document.workflow.as_ref().unwrap().title(), "Mountain poster");
    assert_eq!(open.document.workflow_id, Some(crate::ui::testing::workflow_id()), "it is the same file");
}

#[test]
fn a_file_with_errors_can_not_be_run_and_says_why() {
    let mut model = opened();
    let open = model.workflow.as_mut().unwrap();
    open.document.workflow = None;
    open.document.problems =
        vec![fanlight_shared::problem::Problem::error("x", Default::default(), "no such node")];
    press(&mut model, "r");
    assert!(model.layers.is_empty());
    assert!(model.toasts.shown[0].text.contains("no such node"));
}

#[test]
fn the_first_run_tells_which_workflow_a_file_is() {
    let mut model = opened();
    model.workflow.as_mut().unwrap().document.workflow_id = None;
    let run = crate::ui::testing::run(1, fanlight_shared::run::RunStatus::Queued);
    let started = fanlight_shared::rpc::runs::Started { runs: vec![run], hints: Vec::new() };
    let effects = update(&mut model, Message::Came(Box::new(Came::Started(started))));
    assert_eq!(model.workflow_id(), Some(crate::ui::testing::workflow_id()));
    assert!(effects.iter().any(|it| matches!(it, Effect::Watch(watch) if watch.products.is_some())));
}
