//! Answers that are complete.

use fanlight_shared::value::Value;
use indexmap::IndexMap;

use super::*;
use crate::executor::Signal;

#[tokio::test]
async fn an_answer_is_streamed_whole_wherever_its_pieces_end() {
    let text = format!(": hi\r\n\r\n{}", said("Grüße aus Köln 😀").replace('\n', "\r\n"));
    let server = Server::new(move |_, _| {
        let pieces = text.bytes().map(|byte| Step::Write(vec![byte]));
        [Step::Write(HEAD.into())].into_iter().chain(pieces).collect()
    })
    .await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let done = place.chat(&[("model", "priced".into()), ("system", "Be brief".into())]).await;
    assert_eq!(
        (done.text(), done.wrote(StreamTag::Stdout).as_str()),
        ("Grüße aus Köln 😀", "Grüße aus Köln 😀")
    );
    assert_eq!(done.outcome.cost_usd, Some(10.0), "by the price of the config");
    let Value::Object(usage) = done.value("usage") else { panic!() };
    assert_eq!((&usage["input_tokens"], &usage["cost_usd"]), (&Value::Int(7), &Value::Float(10.0)));
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("authorization: Bearer fanlight-daemon\r\n") && !request.contains("idempotency")
    );
    let body = body(&request);
    assert_eq!((&body["messages"][0]["role"], &body["stream"]), (&"system".into(), &true.into()));
}

#[tokio::test]
async fn a_model_without_a_price_has_no_cost() {
    let server = Server::new(|_, _| stream(&said("Hi"))).await;
    let done = Place::new(ProviderKind::OpenAi, &server).chat(&[]).await;
    let Value::Object(usage) = done.value("usage") else { panic!() };
    assert_eq!((done.outcome.cost_usd, usage.get("cost_usd")), (None, None));
}

#[tokio::test]
async fn reasoning_has_a_stream_of_its_own() {
    let thought =
        "data: {\"choices\":[{\"delta\":{\"reasoning\":\"let me see\"}}]}\n\n".to_owned() + &said("Yes");
    let server = Server::new(move |_, _| stream(&thought)).await;
    let done = Place::new(ProviderKind::OpenAi, &server).chat(&[]).await;
    assert_eq!((done.text(), done.value("reasoning")), ("Yes", &Value::from("let me see")));
    assert_eq!(done.wrote(StreamTag::Reasoning), "let me see");
    assert_eq!(done.wrote(StreamTag::Stdout), "Yes");
}

#[tokio::test]
async fn a_conversation_goes_on_with_its_history() {
    let server = Server::new(|number, _| stream(&said(["Ada", "Lovelace"][number]))).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let first = place.chat(&[]).await;
    let second =
        place.chat(&[("history", first.value("history").clone()), ("prompt", "And then?".into())]).await;
    assert_eq!(second.text(), "Lovelace");
    let messages = body(&server.requests()[1])["messages"].clone();
    let contents: Vec<&str> =
        messages.as_array().unwrap().iter().map(|it| it["content"].as_str().unwrap()).collect();
    assert_eq!(contents, ["Say it", "Ada", "And then?"]);
    let wrong = Value::List(vec![Value::Object(IndexMap::from([("role".into(), "system".into())]))]);
    let error = place.chat(&[("history", wrong)]).await;
    assert!(error.error().contains("item 0 has the role `system`"), "{}", error.error());
}

#[tokio::test]
async fn a_node_that_names_no_model_asks_the_default_of_its_provider_and_says_so() {
    let server = Server::new(|_, _| stream(&said("Hi"))).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let none = [("provider", Value::from("groq")), ("model", "".into())];
    let done = place.chat(&none).await;
    assert_eq!(done.text(), "Hi");
    assert_eq!(body(&server.requests()[0])["model"], "openai/gpt-oss-20b");
    let log = done.wrote(StreamTag::Stderr);
    assert!(log.contains("`openai/gpt-oss-20b` answers, the default of `groq` for text"), "{log}");
    assert!(done.value("usage").to_json()["cost_usd"].as_f64().is_some(), "it has a price");
    let named = place.chat(&[("provider", "groq".into()), ("model", "other".into())]).await;
    assert_eq!(named.text(), "Hi");
    assert_eq!(body(&server.requests()[1])["model"], "other");
    let error = place.chat(&[("model", "".into())]).await;
    assert!(error.error().contains("which model of `house` for text?"), "{}", error.error());
    let texts = ("texts", Value::List(vec!["a".into()]));
    let error = place.run("llm.embed", &[&none[..], &[texts]].concat()).await;
    assert!(error.error().contains("which model of `groq` for embeddings?"), "{}", error.error());
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let whole = r#"{"choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    let server = Server::new(move |_, _| {
        crate::http::server::answer("200 OK", "Content-Type: application/json\r\n", whole.as_bytes())
    })
    .await;
    assert_eq!(Place::new(ProviderKind::OpenAi, &server).chat(&[]).await.text(), "Hi");
}

#[tokio::test]
async fn pictures_and_files_are_sent_along() {
    let server = Server::new(|_, _| stream(&said("A pen"))).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    // What is published is there as long as somebody holds it.
    let media = |bytes: &[u8], name: &str| {
        let published = place.store.blobs().publish(bytes.to_vec()).unwrap();
        let media =
            crate::media::stored(place.store.blobs(), published.hash, bytes.len() as u64, name).unwrap();
        (Value::from(media), published)
    };
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(2, 2).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let ((image, _image), (note, _note)) =
        (media(png.get_ref(), "pen.png"), media(b"It is blue.", "note.txt"));
    let (more, _more) = media(b"It is thin.", "more.txt");
    let given = [("images", Value::List(vec![image])), ("files", Value::List(vec![note, more]))];
    assert_eq!(place.chat(&given).await.text(), "A pen");
    let content = body(&server.requests()[0])["messages"][0]["content"].clone();
    assert!(
        content[0]["image_url"]["url"].as_str().unwrap().starts_with("data:image/png;base64,iVBOR"),
        "{content}"
    );
    assert_eq!(
        content[1]["text"],
        "File `note.txt`:\n\nIt is blue.\n\nFile `more.txt`:\n\nIt is thin.\n\nSay it"
    );
    let (zip, _zip) = media(b"PK\x03\x04\xff\xfe\x00", "a.zip");
    let done = place.chat(&[("files", Value::List(vec![zip]))]).await;
    assert!(
        done.error().contains("`a.zip` is application/zip, and models read text, PDF"),
        "{}",
        done.error()
    );
}

/// A sound without samples.
const WAV: &[u8] =
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0";

#[tokio::test]
async fn sound_and_documents_are_sent_in_the_words_of_each_protocol() {
    let sent = async |kind: ProviderKind, sound: bool| {
        let server = Server::new(|_, _| stream("")).await;
        let place = Place::new(kind, &server);
        let media = |bytes: &[u8], name: &str| {
            let published = place.store.blobs().publish(bytes.to_vec()).unwrap();
            let blobs = place.store.blobs();
            let media = crate::media::stored(blobs, published.hash, bytes.len() as u64, name).unwrap();
            (Value::List(vec![Value::from(media)]), published)
        };
        let (audio, _audio) = media(WAV, "take.wav");
        let (document, _document) = media(b"%PDF-1.4\n%%EOF\n", "brief.pdf");
        let files = ("files", document);
        let given = if sound { vec![("audio", audio), files] } else { vec![files] };
        let done = place.chat(&given).await;
        (server.requests().first().map(|request| body(request)), done)
    };
    let (openai, _) = sent(ProviderKind::OpenAi, true).await;
    let content = &openai.unwrap()["messages"][0]["content"];
    assert_eq!(
        (&content[0]["type"], &content[0]["input_audio"]["format"]),
        (&"input_audio".into(), &"wav".into())
    );
    assert!(content[0]["input_audio"]["data"].as_str().unwrap().starts_with("UklGR"), "{content}");
    assert_eq!(content[1]["file"]["filename"], "brief.pdf");
    assert!(
        content[1]["file"]["file_data"].as_str().unwrap().starts_with("data:application/pdf;base64,JVBER"),
        "{content}"
    );

    let (gemini, _) = sent(ProviderKind::Gemini, true).await;
    let parts = gemini.unwrap()["contents"][0]["parts"].to_string();
    assert!(
        parts.contains("application/pdf") && parts.contains("JVBER") && parts.contains("UklGR"),
        "{parts}"
    );

    let (anthropic, _) = sent(ProviderKind::Anthropic, false).await;
    let content = &anthropic.unwrap()["messages"][0]["content"][0];
    assert_eq!(
        (&content["type"], &content["source"]["media_type"]),
        (&"document".into(), &"application/pdf".into())
    );
    let (nothing, done) = sent(ProviderKind::Anthropic, true).await;
    assert_eq!(nothing, None, "it is refused before anything is sent");
    assert!(done.error().contains("`take.wav`: Anthropic's models take no sound"), "{}", done.error());
}

#[tokio::test]
async fn a_request_that_may_be_repeated_carries_a_key() {
    let server = Server::new(|_, _| stream(&said("Hi"))).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let (attempt, execution) = place.open("llm.chat", &[("prompt", "x".into()), ("idempotent", true.into())]);
    in_time("its end", execution.wait()).await;
    let key = format!("idempotency-key: {}.0\r\n", attempt.request_key());
    assert!(server.requests()[0].contains(&key), "{:?}", server.requests());
}

#[tokio::test]
async fn a_cancel_closes_the_request_at_once_and_what_was_spent_is_spent() {
    let begun = "data: {\"choices\":[{\"delta\":{\"content\":\"On\"}}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":1}}\n\n";
    let server = Server::new(move |_, _| [stream(begun), vec![Step::Hang]].concat()).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let (attempt, execution) = place.open("llm.chat", &[("prompt", "x".into()), ("model", "priced".into())]);
    let execution = Arc::<dyn Execution>::from(execution);
    let waiting = tokio::spawn({
        let execution = Arc::clone(&execution);
        async move { execution.wait().await }
    });
    let until_said = async {
        while !place.log(&attempt).iter().any(|(_, text)| text == "On") {
            tokio::task::yield_now().await;
        }
    };
    in_time("it says it", until_said).await;
    execution.signal(Signal::Stop).await;
    in_time("its end", waiting).await.unwrap();
    server.until_closed(1).await;
    let outcome = execution.collect().await;
    assert_eq!((outcome.end, outcome.cost_usd), (AttemptEnd::Cancelled, Some(8.0)));
}

#[tokio::test]
async fn the_stand_in_answers_without_a_network_and_says_that_it_is_one() {
    let server = Server::new(|_, _| Vec::new()).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let offline = ("provider", Value::from("offline"));
    let done = place.chat(&[offline.clone(), ("offline", "Scripted words".into())]).await;
    assert_eq!((done.text(), done.wrote(StreamTag::Stdout).as_str()), ("Scripted words", "Scripted words"));
    assert!(done.wrote(StreamTag::Stderr).contains("the stand-in `offline` answers, no model"));
    assert_eq!(done.outcome.cost_usd, None);
    assert!(place.chat(&[offline]).await.text().contains("is not a model. It was asked: Say it"));
    assert!(server.requests().is_empty());
}
