//! Pictures, speech and transcripts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fanlight_shared::media::{Media, MediaKind};

use super::*;
use crate::http::server::{Step, answer};
use crate::node_type::fixture::json;

const JSON: &str = "Content-Type: application/json\r\n";

pub(super) fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 2).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A sound of four samples.
const WAV: &[u8] = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x08\0\0\0\0\0\x01\0\x02\0\x01\0";

fn pictured(bytes: &[u8]) -> String {
    let picture = STANDARD.encode(bytes);
    format!(r#"{{"data":[{{"b64_json":"{picture}"}}],"usage":{{"input_tokens":2,"output_tokens":5}}}}"#)
}

impl Place {
    /// Stores a file.
    pub(super) fn stored(&self, name: &str, bytes: &[u8]) -> Value {
        let path = self.home.data.join(name);
        std::fs::create_dir_all(&self.home.data).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let (media, published) = crate::media::publish(self.store.blobs(), file, name).unwrap();
        std::mem::forget(published);
        Value::from(media)
    }
}

impl Done {
    fn media(&self, port: &str) -> &Media {
        self.value(port).as_media().unwrap()
    }
}

#[tokio::test]
async fn a_picture_that_breaks_off_is_not_paid_for_twice() {
    let whole = answer("200 OK", JSON, pictured(&png()).as_bytes());
    let server = Server::new(move |_, _| {
        let mut steps = whole.clone();
        if let Some(Step::Write(bytes)) = steps.last_mut() {
            bytes.truncate(bytes.len() - 10);
        }
        steps
    })
    .await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let given = [("prompt", "A fox".into()), ("model", "priced".into()), ("retries", Value::Int(3))];
    let done = place.run("image.create", &given).await;
    assert!(!done.error().is_empty());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_picture_is_created_stored_and_charged() {
    let server = Server::new(|_, _| answer("200 OK", JSON, pictured(&png()).as_bytes())).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let given = [
        ("prompt", "A fox".into()),
        ("size", "512x512".into()),
        ("options", json(r#"{"quality":"low"}"#)),
        ("model", "priced".into()),
    ];
    let done = place.run("image.create", &given).await;
    let image = done.media("image");
    assert_eq!((image.kind, image.width, image.name.as_str()), (MediaKind::Image, Some(4), "picture.png"));
    assert_eq!(done.outcome.cost_usd, Some(7.0));
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /v1/images/generations HTTP/1.1\r\n"), "{request}");
    assert_eq!(
        body(&request),
        serde_json::json!({"model": "priced", "prompt": "A fox", "n": 1, "size": "512x512", "quality": "low"})
    );
}

#[tokio::test]
async fn a_picture_is_edited_with_its_mask() {
    let server = Server::new(|_, _| answer("200 OK", JSON, pictured(&png()).as_bytes())).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let (image, mask) = (place.stored("my \"fox\".png", &png()), place.stored("m.png", &png()));
    let given = [("prompt", "A hat".into()), ("image", image), ("mask", mask), ("model", "priced".into())];
    let done = place.run("image.edit", &given).await;
    assert_eq!(done.media("image").width, Some(4));
    assert_eq!(done.outcome.cost_usd, None, "tokens of pictures have another price");
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /v1/images/edits HTTP/1.1\r\n"), "{request}");
    for part in [
        "content-type: multipart/form-data; boundary=fanlight-",
        "name=\"prompt\"\r\n\r\nA hat\r\n",
        "name=\"image\"; filename=\"picture.png\"\r\nContent-Type: image/png\r\n\r\n",
        "name=\"mask\"; filename=\"mask.png\"",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }
    assert!(!request.contains("fox"), "the name of a file stays here");
}

#[tokio::test]
async fn a_text_is_spoken() {
    let server = Server::new(|_, _| answer("200 OK", "Content-Type: audio/wav\r\n", WAV)).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let given = [("text", "Hello".into()), ("voice", "nova".into()), ("instructions", "Softly".into())];
    let done = place.run("audio.speak", &given).await;
    assert_eq!(
        (done.media("audio").kind, done.media("audio").name.as_str()),
        (MediaKind::Audio, "speech.wav")
    );
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /v1/audio/speech HTTP/1.1\r\n"), "{request}");
    let body = body(&request);
    assert_eq!(
        (&body["input"], &body["voice"], &body["instructions"], &body["response_format"]),
        (&"Hello".into(), &"nova".into(), &"Softly".into(), &"wav".into())
    );
}

#[tokio::test]
async fn a_sound_is_transcribed_with_times() {
    let said = r#"{"text":"Hi. Bye.","language":"english","duration":2.5,"segments":[{"start":0.0,"end":1.0,"text":" Hi."},{"start":1.0,"end":2.5,"text":" Bye."}]}"#;
    let server = Server::new(move |_, _| answer("200 OK", JSON, said.as_bytes())).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let audio = place.stored("a.flac", b"fLaC\0\0\0\x22 and more");
    let done = place.run("audio.transcribe", &[("audio", audio), ("language", "en".into())]).await;
    assert_eq!((done.text(), done.value("seconds")), ("Hi. Bye.", &Value::Float(2.5)));
    assert_eq!(
        done.value("segments"),
        &json(r#"[{"start":0.0,"end":1.0,"text":"Hi."},{"start":1.0,"end":2.5,"text":"Bye."}]"#)
    );
    let request = server.requests().remove(0);
    for part in [
        "POST /v1/audio/transcriptions HTTP/1.1\r\n",
        "name=\"response_format\"\r\n\r\nverbose_json\r\n",
        "name=\"language\"\r\n\r\nen\r\n",
        "name=\"file\"; filename=\"audio.flac\"\r\nContent-Type: audio/x-flac\r\n\r\nfLaC",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }
}

#[tokio::test]
async fn a_busy_provider_is_asked_for_media_again() {
    let server = Server::new(|number, _| match number {
        0 => answer("429 Too Many Requests", "Retry-After: 0\r\n", b""),
        _ => answer("200 OK", JSON, pictured(&png()).as_bytes()),
    })
    .await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let done = place.run("image.create", &[("prompt", "x".into())]).await;
    assert_eq!((done.media("image").width, server.requests().len()), (Some(4), 2));
}

#[tokio::test]
async fn a_response_that_is_something_else_or_may_be_cut_fails_the_node() {
    let (text, cut) = (pictured(b"<html>"), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nRIFF");
    let text = text.into_bytes();
    let server = Server::new(move |_, _| answer("200 OK", JSON, &text)).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let done = place.run("image.create", &[("prompt", "x".into())]).await;
    assert!(done.error().starts_with("the provider sent text/"), "{}", done.error());
    assert!(done.error().ends_with("instead of a picture"), "{}", done.error());
    let server = Server::new(move |_, _| vec![Step::Write(cut.into())]).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let done = place.run("audio.speak", &[("text", "x".into())]).await;
    assert_eq!(done.error(), "the response does not say where it ends, so it may be cut");
}

#[tokio::test]
async fn a_file_that_was_cut_before_it_was_sent_fails_the_node() {
    let (whole, short) = (png(), &WAV[..WAV.len() - 4]);
    for length in [whole.len() / 2, 40] {
        let picture = pictured(&whole[..length]);
        let server = Server::new(move |_, _| answer("200 OK", JSON, picture.as_bytes())).await;
        let place = Place::new(ProviderKind::OpenAi, &server);
        let done = place.run("image.create", &[("prompt", "x".into())]).await;
        let expected = "`picture.png`, which was received, can't be used: the picture is damaged";
        assert!(done.error().starts_with(expected), "{}", done.error());
        assert_eq!(server.requests().len(), 1, "it was paid for");
    }
    for sent in [short, &WAV[..44]] {
        let server = Server::new(move |_, _| answer("200 OK", "Content-Type: audio/wav\r\n", sent)).await;
        let place = Place::new(ProviderKind::OpenAi, &server);
        let done = place.run("audio.speak", &[("text", "x".into())]).await;
        assert!(
            done.error().starts_with("`speech.wav`, which was received, can't be used"),
            "{}",
            done.error()
        );
    }
}

#[tokio::test]
async fn a_file_that_providers_do_not_read_is_not_sent() {
    let server = Server::new(|_, _| vec![]).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let text = place.stored("notes.txt", b"no sound");
    let done = place.run("audio.transcribe", &[("audio", text)]).await;
    assert_eq!(done.error(), "input `audio`: `notes.txt` is text/plain, which providers don't read");
    let large = [&b"fLaC\0\0\0\x22"[..], &vec![0; 26 << 20]].concat();
    let large = place.stored("long.flac", &large);
    let done = place.run("audio.transcribe", &[("audio", large)]).await;
    assert!(done.error().contains("`long.flac` has 26 MiB, and at most 25 are sent"), "{}", done.error());
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_provider_with_another_protocol_is_refused_by_name() {
    let server = Server::new(|_, _| vec![]).await;
    let done =
        Place::new(ProviderKind::Anthropic, &server).run("image.create", &[("prompt", "x".into())]).await;
    assert_eq!(
        done.error(),
        "image.create needs a provider with OpenAI's protocol, and `house` has that of anthropic"
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_stand_ins_make_the_same_media_again_and_say_what_they_are() {
    let server = Server::new(|_, _| vec![]).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let offline = ("provider", Value::from("offline"));
    let create = |prompt: &str| [offline.clone(), ("prompt", prompt.into()), ("size", "64x48".into())];
    let one = place.run("image.create", &create("A fox")).await;
    let again = place.run("image.create", &create("A fox")).await;
    let other = place.run("image.create", &create("A hen")).await;
    assert_eq!((one.media("image").width, one.media("image").height), (Some(64), Some(48)));
    assert_eq!(one.media("image").hash, again.media("image").hash);
    assert_ne!(one.media("image").hash, other.media("image").hash);
    assert!(one.wrote(StreamTag::Stderr).contains("the stand-in `offline` answers, no model"));
    let wrong =
        place.run("image.create", &[offline.clone(), ("prompt", "x".into()), ("size", "big".into())]).await;
    assert_eq!(wrong.error(), "input `size`: `big` is not a size such as `1024x1024`");

    let speak = |text: &str| [offline.clone(), ("text", text.into())];
    let short = place.run("audio.speak", &speak("Hello.")).await;
    let long = place.run("audio.speak", &speak("Hello. This is a longer sentence.")).await;
    assert!(long.media("audio").bytes > 2 * short.media("audio").bytes);
    let nothing = place.run("audio.speak", &speak("— …")).await;
    assert_eq!(nothing.error(), "input `text` has nothing that can be said");

    let audio = short.value("audio").clone();
    let script = Value::from("Anna: Hello all.\nBen: I write the notes.");
    let given = [offline.clone(), ("audio", audio.clone()), ("offline", script)];
    let heard = place.run("audio.transcribe", &given).await;
    assert_eq!(heard.text(), "Anna: Hello all.\nBen: I write the notes.");
    assert_eq!(heard.value("segments").as_list().unwrap().len(), 2);
    let bad = json(r#"[{"start":2.0,"end":1.0,"text":"x"}]"#);
    let heard = place.run("audio.transcribe", &[offline, ("audio", audio), ("offline", bad)]).await;
    assert!(heard.error().starts_with("input `offline`: segment 0 has times"), "{}", heard.error());
    assert!(server.requests().is_empty());
}

/// A file that has the parts of an MP4.
#[cfg(feature = "video")]
const MP4: &[u8] = b"\0\0\0\x1cftypisom\0\0\x02\0isomiso2mp41\0\0\0\x0cmoov\0\0\0\0\0\0\0\x0cmdat\0\0\0\0";

/// A server whose videos are in this state when they are looked at.
#[cfg(feature = "video")]
async fn videos(state: &'static str, file: &'static [u8]) -> Server {
    Server::new(move |_, request| {
        if request.starts_with("POST ") {
            answer("200 OK", JSON, br#"{"id":"v/1","object":"video","status":"queued","progress":0}"#)
        } else if request.starts_with("DELETE ") {
            answer("200 OK", JSON, br#"{"id":"v/1","deleted":true}"#)
        } else if request.contains("/content ") {
            answer("200 OK", "Content-Type: video/mp4\r\n", file)
        } else {
            answer("200 OK", JSON, state.as_bytes())
        }
    })
    .await
}

#[cfg(feature = "video")]
fn lines(server: &Server) -> Vec<String> {
    server.requests().iter().map(|it| it.lines().next().unwrap().replace(" HTTP/1.1", "")).collect()
}

#[cfg(feature = "video")]
#[tokio::test]
async fn a_video_is_ordered_looked_at_and_fetched() {
    let state = r#"{"id":"v/1","status":"completed","progress":100,"usage":{"cost":0.4}}"#;
    let server = videos(state, MP4).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let given = [
        ("prompt", "A fox".into()),
        ("seconds", Value::Int(8)),
        ("size", "1280x720".into()),
        ("options", json(r#"{"quality":"low"}"#)),
    ];
    let done = place.run("video.create", &given).await;
    let video = done.media("video");
    assert_eq!((video.kind, video.name.as_str()), (MediaKind::Video, "video.mp4"));
    assert_eq!(done.outcome.cost_usd, Some(0.4));
    assert_eq!(lines(&server), ["POST /v1/videos", "GET /v1/videos/v%2F1", "GET /v1/videos/v%2F1/content"]);
    let ordered = serde_json::json!({"model": "m", "prompt": "A fox", "seconds": "8", "size": "1280x720", "quality": "low"});
    assert_eq!(body(&server.requests()[0]), ordered);

    let given = [("prompt", "A fox".into()), ("image", place.stored("mine.png", &png()))];
    place.run("video.create", &given).await.media("video");
    let request = server.requests().remove(3);
    assert!(request.contains("name=\"input_reference\"; filename=\"picture.png\""), "{request}");
}

#[cfg(feature = "video")]
#[tokio::test]
async fn a_video_that_is_not_made_or_is_none_fails_the_node() {
    let refused = r#"{"id":"v/1","status":"failed","error":{"message":"no foxes"}}"#;
    let server = videos(refused, MP4).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let done = place.run("video.create", &[("prompt", "A fox".into())]).await;
    assert!(done.error().contains("did not make the video: no foxes"), "{}", done.error());
    assert_eq!(lines(&server).len(), 2, "there is nothing to withdraw");

    let server = videos(r#"{"id":"v/1","status":"completed"}"#, &MP4[..MP4.len() - 12]).await;
    let done =
        Place::new(ProviderKind::OpenAi, &server).run("video.create", &[("prompt", "A fox".into())]).await;
    assert!(done.error().ends_with("the video is damaged: it has an index and no data"), "{}", done.error());

    let server = videos(r#"{"id":"v/1","status":"completed"}"#, b"<html>").await;
    let done =
        Place::new(ProviderKind::OpenAi, &server).run("video.create", &[("prompt", "A fox".into())]).await;
    assert!(done.error().contains("instead of a video"), "{}", done.error());
}

#[cfg(feature = "video")]
#[tokio::test]
async fn a_video_that_nobody_waits_for_any_more_is_withdrawn() {
    let server = videos(r#"{"id":"v/1","status":"in_progress","progress":30}"#, MP4).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let given = [("prompt", "A fox".into()), ("timeout", Value::Float(1.0))];
    let done = place.run("video.create", &given).await;
    assert!(done.error().contains("the limit set by `timeout`"), "{}", done.error());
    assert_eq!(lines(&server).last().unwrap(), "DELETE /v1/videos/v%2F1");
    assert!(done.wrote(StreamTag::Stderr).contains("the order was withdrawn"));

    let (attempt, execution) = place.open("video.create", &[("prompt", "A fox".into())]);
    let cancel = attempt.cancel.clone();
    let seen = lines(&server).len();
    let (_, ()) = tokio::join!(execution.wait(), async {
        while lines(&server).len() < seen + 2 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    });
    assert_eq!(lines(&server).last().unwrap(), "DELETE /v1/videos/v%2F1");
}
