//! Home, opening, files that change.

use super::*;
use crate::ui::document::{Document, Purpose, Request, Source};
use crate::ui::home::Home;
use crate::ui::layer::form::Form;
use crate::ui::message::Response;
use crate::ui::testing::{POSTER, opened, response, screen, workflow};

fn document(example: Option<&str>, text: &str) -> Document {
    let source = match example {
        Some(name) => Source::Example(name.to_owned()),
        None => Source::File("/home/ada/poster.yaml".into()),
    };
    let checked = fanlight_shared::document::read(text, &Default::default());
    let (workflow, problems) = match checked {
        Ok(checked) => (Some(std::sync::Arc::new(checked.workflow)), Vec::new()),
        Err(problems) => (None, problems),
    };
    Document {
        source,
        path: Some("/home/ada/poster.yaml".into()),
        example: example.map(str::to_owned),
        workflow_id: None,
        name: "poster.yaml".to_owned(),
        text: text.into(),
        workflow,
        problems,
    }
}

/// Returns the answer to a request to read a workflow.
fn read(model: &mut Model, purpose: Purpose, document: Document) -> Vec<Effect> {
    let request = Request { source: document.source.clone(), purpose };
    response(model, Response::Document { request, document: Box::new(document) })
}

fn reads(effects: &[Effect], purpose: Purpose) -> bool {
    effects.iter().any(|it| matches!(it, Effect::ReadWorkflow(request) if request.purpose == purpose))
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
    response(&mut model, Response::Files(Vec::new()));
    read(&mut model, Purpose::Preview, document(Some("poster"), POSTER));
    press(&mut model, "r");
    assert!(model.workflow.is_some());
    assert!(matches!(model.layers.as_slice(), [layer] if layer.is::<Form>()), "{:?}", model.layers);
}

#[test]
fn home_stays_open_while_it_previews_the_workflow_on_screen() {
    let mut model = opened();
    press(&mut model, "w");
    let asked = response(&mut model, Response::Files(vec!["/home/ada/poster.yaml".into()]));
    assert!(reads(&asked, Purpose::Preview));
    let changed = document(None, &POSTER.replace("Seaside", "Mountain"));
    read(&mut model, Purpose::Preview, changed.clone());
    assert!(matches!(model.layers.as_slice(), [layer] if layer.is::<Home>()), "{:?}", model.layers);
    let title = |model: &Model| {
        model.workflow.as_ref().unwrap().document.workflow.as_ref().unwrap().title().to_owned()
    };
    assert_eq!(title(&model), "Seaside poster", "a preview changes nothing on screen");
    read(&mut model, Purpose::Refresh, changed);
    assert!(
        matches!(model.layers.as_slice(), [layer] if layer.is::<Home>()),
        "nor does a changed file close it"
    );
    assert_eq!(title(&model), "Mountain poster");
}

#[test]
fn a_late_preview_does_not_replace_the_chosen_workflow() {
    let mut model = home();
    response(&mut model, Response::Files(vec!["/home/ada/poster.yaml".into()]));
    assert!(reads(&press(&mut model, "enter"), Purpose::Open), "it was not read yet");
    read(&mut model, Purpose::Preview, document(Some("poster"), POSTER));
    assert!(model.workflow.is_none());
    read(&mut model, Purpose::Open, document(None, POSTER));
    assert_eq!(model.workflow.as_ref().unwrap().document.example, None);
    assert!(model.layers.is_empty());
}

#[test]
fn the_newest_choice_wins_whatever_is_read_first() {
    let mut model = home();
    response(&mut model, Response::Files(vec!["/home/ada/poster.yaml".into()]));
    press(&mut model, "enter down enter");
    read(&mut model, Purpose::Open, document(None, POSTER));
    assert!(model.workflow.is_none());
    read(&mut model, Purpose::Open, document(Some("poster"), POSTER));
    assert_eq!(model.workflow.as_ref().unwrap().document.example.as_deref(), Some("poster"));
}

#[test]
fn a_graph_is_laid_out_once_for_all_who_need_it() {
    let mut model = home();
    response(&mut model, Response::Files(Vec::new()));
    let laid = |effects: &[Effect]| effects.iter().filter(|it| matches!(it, Effect::Layout(_))).count();
    let read = read(&mut model, Purpose::Preview, document(Some("poster"), POSTER));
    let opened = press(&mut model, "enter");
    assert_eq!((laid(&read), laid(&opened)), (1, 0), "what home asked for is on its way");
    let version = workflow(POSTER).version.clone();
    let layout = crate::ui::testing::laid_out(&workflow(POSTER));
    response(&mut model, Response::Graph(version, layout));
    assert!(model.workflow.unwrap().layout.is_some());
}

#[test]
fn a_new_file_is_made_from_the_chosen_example() {
    let mut model = home();
    press(&mut model, "N");
    assert!(screen(&mut model, 100, 30).contains("New workflow from poster"));
    let effects = press(&mut model, "enter");
    let file = effects.iter().find_map(|it| match it {
        Effect::ReadWorkflow(Request { source: Source::New { example, path }, .. }) => {
            Some((example.as_str(), path.clone()))
        }
        _ => None,
    });
    assert_eq!(file, Some(("poster", "./poster.yaml".into())));
}

#[test]
fn an_edited_file_is_checked_and_shown_again() {
    let mut model = opened();
    assert!(press(&mut model, "e").contains(&Effect::Edit("/home/ada/poster.yaml".into())));
    let changed = POSTER.replace("Seaside", "Mountain");
    read(&mut model, Purpose::Refresh, document(None, &changed));
    let open = model.workflow.as_ref().unwrap();
    assert_eq!(open.document.workflow.as_ref().unwrap().title(), "Mountain poster");
    assert_eq!(open.document.workflow_id, Some(crate::ui::testing::workflow_id()), "it is the same file");
}

#[test]
fn a_file_with_errors_is_read_again_and_says_why_it_can_not_run() {
    let mut model = opened();
    let broken = POSTER.replace("sky.image", "skye.image");
    read(&mut model, Purpose::Refresh, document(None, &broken));
    assert!(reads(&press(&mut model, "r"), Purpose::Form), "perhaps it was repaired");
    read(&mut model, Purpose::Form, document(None, &broken));
    assert!(model.layers.is_empty());
    assert!(model.toasts.shown[0].text.contains("skye"), "{:?}", model.toasts.shown);
}

#[test]
fn a_fixed_error_disappears() {
    let mut model = opened();
    read(&mut model, Purpose::Refresh, document(None, &POSTER.replace("sky.image", "skye.image")));
    assert!(model.toasts.shown.iter().any(|it| it.tone == Tone::Bad));
    read(&mut model, Purpose::Refresh, document(None, POSTER));
    assert!(model.toasts.shown.iter().all(|it| it.tone != Tone::Bad), "{:?}", model.toasts.shown);
    press(&mut model, "r");
    assert!(matches!(model.layers.as_slice(), [layer] if layer.is::<Form>()));
}

#[test]
fn the_file_on_screen_is_watched_and_read_again_before_the_form_is_used() {
    let mut model = home();
    let effects = response(&mut model, Response::Files(vec!["/home/ada/poster.yaml".into()]));
    let watched = Effect::WatchFile(Some("/home/ada/poster.yaml".into()));
    assert!(effects.contains(&watched), "it is previewed: {effects:?}");
    read(&mut model, Purpose::Preview, document(None, POSTER));
    assert!(!reads(&press(&mut model, "enter"), Purpose::Refresh), "it is watched already");
    assert!(reads(&press(&mut model, "r"), Purpose::Refresh));
}

#[test]
fn the_preview_of_a_file_that_was_mended_is_new() {
    let mut model = home();
    response(&mut model, Response::Files(vec!["/home/ada/poster.yaml".into()]));
    read(&mut model, Purpose::Preview, document(None, &POSTER.replace("sky.image", "skye.image")));
    assert!(screen(&mut model, 120, 40).contains("skye"));
    read(&mut model, Purpose::Refresh, document(None, POSTER));
    assert!(!screen(&mut model, 120, 40).contains("skye"));
    press(&mut model, "down");
    assert_eq!(model.watched_file, None, "an example is no file");
}

#[test]
fn a_file_is_checked_again_with_the_node_types_of_the_daemon() {
    let mut model = opened();
    let up = model.link.clone();
    update(&mut model, Message::Link(Link::Connecting));
    assert!(reads(&update(&mut model, Message::Link(up)), Purpose::Refresh));
    // The same text, with other problems.
    let mut checked = document(None, POSTER);
    checked.problems = document(None, &POSTER.replace("sky.image", "skye.image")).problems;
    read(&mut model, Purpose::Refresh, checked);
    assert_eq!(model.workflow.as_ref().unwrap().document.problems.len(), 1);
    assert!(model.toasts.shown.is_empty(), "the file did not change: {:?}", model.toasts.shown);
}

#[test]
fn the_first_run_identifies_the_workflow_of_a_file() {
    let mut model = opened();
    model.workflow.as_mut().unwrap().document.workflow_id = None;
    let run = crate::ui::testing::run(1, fanlight_shared::run::RunStatus::Queued);
    let started = fanlight_shared::rpc::runs::Started { runs: vec![run], ..Default::default() };
    let effects =
        response(&mut model, Response::Started { request_key: String::new(), started, others: None });
    assert_eq!(model.workflow_id(), Some(crate::ui::testing::workflow_id()));
    assert!(effects.iter().any(|it| matches!(it, Effect::Watch(watch) if watch.products.is_some())));
}
