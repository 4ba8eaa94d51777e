//! `comfy.run` against a ComfyUI server in this process.

use fanlight_shared::media::MediaKind;
use serde_json::{Value as Json, json};

use super::media::png;
use super::*;
use crate::comfy::fake::{Beat, Fake, Script};
use crate::executor::Signal;

fn graph() -> Json {
    json!({
        "3": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["6", 0]}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox"}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "fox"}},
    })
}

fn saved(names: &[&str]) -> Json {
    let images: Vec<Json> =
        names.iter().map(|name| json!({"filename": name, "subfolder": "", "type": "output"})).collect();
    json!({"9": {"images": images}})
}

/// Saves one picture.
fn script() -> Script {
    Script {
        beats: vec![Beat::End(Some(saved(&["fox_1.png"])))],
        files: [("fox_1.png".to_owned(), png()), ("fox_2.png".to_owned(), png())].into(),
        ..Script::default()
    }
}

fn place(fakes: &[&Fake]) -> Place {
    let urls: Vec<String> = fakes.iter().map(|fake| fake.url()).collect();
    Place::at(ProviderKind::Comfy, &urls[0], |house| house.more_urls = urls[1..].to_vec())
}

impl Place {
    fn comfy_inputs(&self, given: &[(&str, Value)]) -> Vec<(&'static str, Value)> {
        let mut all = vec![("graph", Value::from_json(graph())), ("retries", Value::Int(0))];
        for (name, value) in given {
            let name =
                ["set", "take", "graph", "timeout", "retries", "provider"].into_iter().find(|it| it == name);
            all.push((name.unwrap(), value.clone()));
        }
        all
    }

    async fn comfy(&self, given: &[(&str, Value)]) -> Done {
        self.run("comfy.run", &self.comfy_inputs(given)).await
    }
}

fn set(json: Json) -> (&'static str, Value) {
    ("set", Value::from_json(json))
}

#[tokio::test]
async fn a_graph_is_computed_with_its_fields_and_its_pictures_are_stored() {
    let beats = vec![
        Beat::Say("execution_start", json!({})),
        Beat::Say("execution_cached", json!({"nodes": ["6"]})),
        Beat::Say("executing", json!({"node": "3"})),
        Beat::Say("progress", json!({"value": 10, "max": 20, "node": "3"})),
        Beat::Preview(png()),
        Beat::Say("executed", json!({"node": "9", "output": {}})),
        Beat::Say("execution_success", json!({})),
        Beat::End(Some(saved(&["fox_1.png"]))),
    ];
    let fake = Fake::new(Script { beats, ..script() }).await;
    let place = place(&[&fake]);
    let done = place.comfy(&[set(json!({"3.seed": 7, "6.text": "a hen"}))]).await;
    let image = done.value("images").as_list().unwrap()[0].as_media().unwrap();
    assert_eq!((image.kind, image.width, image.name.as_str()), (MediaKind::Image, Some(4), "fox_1.png"));
    assert_eq!(done.value("shown").to_json(), saved(&["fox_1.png"]));
    let body = fake.submitted();
    assert_eq!(
        (&body["prompt"]["3"]["inputs"]["seed"], &body["prompt"]["6"]["inputs"]["text"]),
        (&json!(7), &json!("a hen"))
    );
    assert!(fake.requests()[0].starts_with("GET /ws?clientId="), "messages are heard from the beginning");
    assert!(
        !fake.requests().iter().any(|it| it.starts_with("POST /interrupt") || it.starts_with("POST /queue"))
    );
}

#[tokio::test]
async fn a_picture_that_the_server_had_only_a_part_of_fails_the_node() {
    let mut files = script().files;
    if let Some((_, file)) = files.iter_mut().find(|(name, _)| name.as_str() == "fox_1.png") {
        file.truncate(file.len() / 2);
    }
    let fake = Fake::new(Script { files, ..script() }).await;
    let done = place(&[&fake]).comfy(&[]).await;
    let expected = "`fox_1.png`, which was received, can't be used: the picture is damaged";
    assert!(done.error().starts_with(expected), "{}", done.error());
}

#[tokio::test]
async fn a_file_is_uploaded_once_and_set_by_its_name() {
    let fake = Fake::new(script()).await;
    let place = place(&[&fake]);
    let picture = place.stored("my fox.png", &png());
    let fields = [("6.text".to_owned(), picture.clone()), ("9.filename_prefix".to_owned(), picture)];
    let done = place.comfy(&[("set", Value::Object(fields.into()))]).await;
    assert_eq!(done.value("images").as_list().unwrap().len(), 1);
    assert_eq!(fake.submitted()["prompt"]["6"]["inputs"]["text"], "in/uploaded.png");
    let uploads: Vec<String> =
        fake.requests().into_iter().filter(|it| it.starts_with("POST /upload/image")).collect();
    assert_eq!(uploads.len(), 1);
    assert!(
        uploads[0].contains("name=\"image\"; filename=\"fanlight-") && !uploads[0].contains("my fox"),
        "{uploads:?}"
    );
}

#[tokio::test]
async fn the_files_of_some_nodes_are_taken_and_those_that_are_only_shown_otherwise_left() {
    let mut outputs = saved(&["fox_1.png"]);
    outputs["3"] =
        json!({"images": [{"filename": "fox_2.png", "subfolder": "", "type": "temp"}], "text": ["hi"]});
    let fake = Fake::new(Script { beats: vec![Beat::End(Some(outputs))], ..script() }).await;
    let place = place(&[&fake]);
    let names = |done: &Done| -> Vec<String> {
        let images = done.value("images").as_list().unwrap();
        images.iter().map(|image| image.as_media().unwrap().name.clone()).collect()
    };
    assert_eq!(names(&place.comfy(&[]).await), ["fox_1.png"]);
    assert_eq!(names(&place.comfy(&[("take", Value::from_json(json!(["3"])))]).await), ["fox_2.png"]);
    let done = place.comfy(&[("take", Value::from_json(json!(["6"])))]).await;
    assert_eq!(done.error(), "input `take`: node `6` made no files");
}

#[tokio::test]
async fn what_is_wrong_with_the_graph_is_said_before_anything_is_sent() {
    let fake = Fake::new(script()).await;
    let place = place(&[&fake]);
    for (given, expected) in [
        (
            set(json!({"3.sed": 1})),
            "input `set`: node `3` (KSampler) has no input `sed`; did you mean `seed`?",
        ),
        (set(json!(["3.seed"])), "input `set`: expected an object"),
        (("take", Value::from_json(json!(["7"]))), "input `take`: the graph has no node `7`"),
        (("graph", "{".into()), "input `graph` is not JSON"),
        (
            ("graph", Value::from_json(json!({"nodes": [], "links": []}))),
            "input `graph`: it is a workflow of ComfyUI's editor",
        ),
    ] {
        let done = place.comfy(&[given]).await;
        assert!(done.error().starts_with(expected), "{}", done.error());
    }
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a_graph_may_be_a_text_or_a_file() {
    let fake = Fake::new(script()).await;
    let place = place(&[&fake]);
    let text = graph().to_string();
    for graph in [Value::from(text.as_str()), place.stored("fox.json", text.as_bytes())] {
        let done = place.comfy(&[("graph", graph)]).await;
        assert_eq!(done.value("images").as_list().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_error_names_the_node_and_its_class() {
    let errors = json!({"3": {"class_type": "KSampler", "dependent_outputs": ["9"], "errors": [
        {"type": "value_bigger_than_max", "message": "Value 99 bigger than max of 30", "details": "cfg"}]}});
    let body = json!({"error": {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation",
        "details": ""}, "node_errors": errors});
    let fake = Fake::new(Script { refusal: Some((400, body.to_string())), ..script() }).await;
    let done = place(&[&fake]).comfy(&[]).await;
    let expected = "refuses the graph: node `3` (KSampler): Value 99 bigger than max of 30: cfg";
    assert!(done.error().ends_with(expected), "{}", done.error());

    let fake = Fake::new(Script { beats: vec![Beat::End(None)], ..script() }).await;
    let done = place(&[&fake]).comfy(&[]).await;
    assert_eq!(done.error(), "node `3` (KSampler) failed: RuntimeError: out of memory");
    assert!(done.wrote(StreamTag::Stderr).contains("error: File a"), "{}", done.wrote(StreamTag::Stderr));

    // ComfyUI takes such a graph, and calls it a success without this output.
    let fake = Fake::new(Script { node_errors: errors, beats: vec![Beat::Hold], ..script() }).await;
    let done = place(&[&fake]).comfy(&[]).await;
    assert!(
        done.error().starts_with("the server would leave out a part of the graph: node `3`"),
        "{}",
        done.error()
    );
    assert_eq!(fake.busy_with(), 0, "the rest is not computed");
}

#[tokio::test]
async fn a_cancel_takes_the_graph_out_of_the_queue() {
    let fake = Fake::new(Script { busy: true, ..script() }).await;
    let place = place(&[&fake]);
    let (_, execution) = place.open("comfy.run", &place.comfy_inputs(&[]));
    let wait = execution.wait();
    tokio::pin!(wait);
    tokio::select! {
        _ = &mut wait => panic!("it waits in the queue"),
        () = fake.until_asked("GET /queue") => {}
    }
    execution.signal(Signal::Stop).await;
    in_time("its end", wait).await;
    assert_eq!(execution.collect().await.end, AttemptEnd::Cancelled);
    assert_eq!(fake.busy_with(), 1, "that of somebody else stays");
    assert!(
        !fake.requests().iter().any(|it| it.starts_with("POST /interrupt")),
        "which must not be interrupted"
    );
}

#[tokio::test]
async fn a_cancel_interrupts_a_graph_that_runs_also_on_servers_that_choose_ids() {
    for own_ids in [false, true] {
        let fake = Fake::new(Script { beats: vec![Beat::Hold], own_ids, ..script() }).await;
        let place = place(&[&fake]);
        let (_, execution) = place.open("comfy.run", &place.comfy_inputs(&[]));
        let wait = execution.wait();
        tokio::pin!(wait);
        tokio::select! {
            _ = &mut wait => panic!("it runs"),
            () = fake.until_running() => {}
        }
        execution.signal(Signal::Stop).await;
        in_time("its end", wait).await;
        assert_eq!(execution.collect().await.end, AttemptEnd::Cancelled);
        assert_eq!(fake.busy_with(), 0);
        assert!(fake.requests().iter().any(|it| it.starts_with("POST /interrupt")));
    }
}

#[tokio::test]
async fn a_time_limit_ends_the_graph_too() {
    let fake = Fake::new(Script { beats: vec![Beat::Hold], ..script() }).await;
    let done = place(&[&fake]).comfy(&[("timeout", Value::Float(0.3))]).await;
    assert!(done.error().contains("the limit set by `timeout`"), "{}", done.error());
    assert_eq!(fake.busy_with(), 0);
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_the_result_is_found() {
    let beats = vec![
        Beat::Say("executing", json!({"node": "3"})),
        Beat::HangUp,
        Beat::End(Some(saved(&["fox_1.png"]))),
    ];
    let fake = Fake::new(Script { beats, ..script() }).await;
    let done = place(&[&fake]).comfy(&[]).await;
    assert_eq!(done.value("images").as_list().unwrap().len(), 1);
}

#[tokio::test]
async fn a_graph_that_the_server_lost_is_an_error_not_a_result() {
    let fake = Fake::new(Script { beats: vec![Beat::Forget], ..script() }).await;
    let done = place(&[&fake]).comfy(&[]).await;
    assert!(done.error().starts_with("the server has neither the graph nor its result"), "{}", done.error());

    let fake = Fake::new(Script { busy: true, ..script() }).await;
    let place = place(&[&fake]);
    let remove = async {
        fake.until_asked("GET /queue").await;
        fake.clear();
    };
    let inputs = place.comfy_inputs(&[]);
    let (done, ()) = tokio::join!(place.run("comfy.run", &inputs), remove);
    assert!(done.error().contains("it was removed from the queue"), "{}", done.error());
}

#[tokio::test]
async fn a_graph_whose_response_was_lost_is_found_and_withdrawn() {
    let fake = Fake::new(Script { breaks: true, busy: true, own_ids: true, ..script() }).await;
    let done = place(&[&fake]).comfy(&[]).await;
    assert!(done.error().ends_with("whether it took the graph is not known"), "{}", done.error());
    assert_eq!(fake.busy_with(), 1, "only that of somebody else is left");
}

#[tokio::test]
async fn garbage_is_an_error_that_names_the_server() {
    for (status, body) in [(200, "<html>"), (200, "{}"), (404, "<html>")] {
        let fake = Fake::new(Script { refusal: Some((status, body.to_owned())), ..script() }).await;
        let done = place(&[&fake]).comfy(&[]).await;
        assert!(
            done.error().contains(&format!("the answer of {} is not one of ComfyUI's", fake.url())),
            "{}",
            done.error()
        );
    }
    let fake = Server::new(|_, _| crate::http::server::answer("200 OK", "", b"hello")).await;
    let place = Place::at(ProviderKind::Comfy, &fake.url(""), |_| {});
    let done = place.comfy(&[]).await;
    assert!(done.error().contains("200 OK to a websocket"), "{}", done.error());
}

#[tokio::test]
async fn a_file_that_is_gone_fails_the_node_by_its_name() {
    let fake = Fake::new(Script { beats: vec![Beat::End(Some(saved(&["gone.png"])))], ..script() }).await;
    let done = place(&[&fake]).comfy(&[]).await;
    assert_eq!(done.error(), "the server no longer has the file `gone.png` of the graph");
    let fake = Fake::new(Script { beats: vec![Beat::End(Some(json!({})))], ..script() }).await;
    let done = place(&[&fake]).comfy(&[]).await;
    assert!(done.error().starts_with("the graph made nothing that can be fetched"), "{}", done.error());
}

#[tokio::test]
async fn a_dead_server_is_passed_over_and_runs_spread_over_the_others() {
    let dead = Fake::new(script()).await;
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let (one, two) = (Fake::new(Script { beats: vec![Beat::Hold], ..script() }).await, dead);
    let urls = [one.url(), two.url()];
    let place = Place::at(ProviderKind::Comfy, &gone, |house| house.more_urls = urls.to_vec());
    let (_, held) = place.open("comfy.run", &place.comfy_inputs(&[]));
    let wait = held.wait();
    tokio::pin!(wait);
    tokio::select! {
        _ = &mut wait => panic!("it runs"),
        () = one.until_running() => {}
    }
    let done = place.comfy(&[]).await;
    assert_eq!(done.value("images").as_list().unwrap().len(), 1);
    assert!(two.requests().iter().any(|it| it.starts_with("POST /prompt")), "the other one is busy");
    assert!(done.wrote(StreamTag::Stderr).contains("can't be reached"), "the log names the dead one");
    held.signal(Signal::Stop).await;
    in_time("its end", wait).await;
    let alone = Place::at(ProviderKind::Comfy, &gone, |_| {});
    let done = alone.comfy(&[]).await;
    assert!(done.error().contains("can't be reached"), "{}", done.error());
}

#[tokio::test]
async fn the_stand_in_paints_a_picture_for_each_seed_and_other_providers_are_refused() {
    let fake = Fake::new(script()).await;
    let place = place(&[&fake]);
    let offline = ("provider", Value::from("offline"));
    let one = place.comfy(&[offline.clone(), set(json!({"3.seed": 1}))]).await;
    let again = place.comfy(&[offline.clone(), set(json!({"3.seed": 1}))]).await;
    let other = place.comfy(&[offline.clone(), set(json!({"3.seed": 2}))]).await;
    let hash = |done: &Done| done.value("images").as_list().unwrap()[0].as_media().unwrap().hash;
    assert!(hash(&one) == hash(&again) && hash(&one) != hash(&other));
    assert!(one.wrote(StreamTag::Stderr).contains("the stand-in `offline` paints, no server"));
    assert!(fake.requests().is_empty());
    let done = place.comfy(&[("provider", "openai".into())]).await;
    assert!(!done.error().is_empty());
    let done = place.chat(&[]).await;
    assert_eq!(done.error(), "the provider `house` is ComfyUI, which only `comfy.run` asks");
}

#[tokio::test]
async fn a_server_whose_proxy_opens_no_websocket_is_passed_over() {
    for status in [502, 503, 504, 429] {
        let closed = Fake::new(Script { no_socket: Some(status), ..script() }).await;
        let open = Fake::new(script()).await;
        let done = place(&[&closed, &open]).comfy(&[]).await;
        assert_eq!(done.value("images").as_list().unwrap().len(), 1);
        assert_eq!(closed.requests().len(), 1);
    }
}
