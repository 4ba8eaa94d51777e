//! OpenAI's pictures, speech and transcripts, which other servers speak too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::reply::{Usage, cost};

/// The paths below the provider's URL.
pub(crate) const CREATE: &str = "/images/generations";
pub(crate) const EDIT: &str = "/images/edits";
pub(crate) const SPEAK: &str = "/audio/speech";
pub(crate) const TRANSCRIBE: &str = "/audio/transcriptions";
#[cfg(feature = "video")]
pub(crate) const VIDEOS: &str = "/videos";

/// A part of a transcript, with its times in seconds.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Segment {
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) text: String,
}

/// What was said in a sound.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Transcript {
    pub(crate) text: String,
    pub(crate) segments: Vec<Segment>,
    pub(crate) language: Option<String>,
    /// How long the sound lasts.
    pub(crate) seconds: Option<f64>,
}

/// Returns the bytes of the picture in a response.
///
/// # Errors
/// A sentence: there is none, or not exactly one.
pub(crate) fn picture(body: &[u8]) -> Result<(Vec<u8>, Usage), String> {
    let json = json(body)?;
    let pictures = json["data"].as_array().ok_or("the response has no list `data` of pictures")?;
    let [picture] = pictures.as_slice() else {
        return Err(format!("the provider sent {} pictures instead of one", pictures.len()));
    };
    let Some(text) = picture["b64_json"].as_str() else {
        return Err(if picture["url"].is_string() {
            "the provider sent a link instead of the picture; set `options: { response_format: b64_json }`"
                .to_owned()
        } else {
            "the response has no picture `b64_json`".to_owned()
        });
    };
    let bytes = STANDARD.decode(text).map_err(|error| format!("the picture is not Base64: {error}"))?;
    Ok((bytes, usage(&json)))
}

/// Returns the transcript in a response. `segments`: whether it must have segments.
///
/// # Errors
/// A sentence: the text or the segments are missing, or times are not in order.
pub(crate) fn transcript(body: &[u8], segments: bool) -> Result<(Transcript, Usage), String> {
    let json = json(body)?;
    let text = json["text"].as_str().ok_or("the response has no `text`")?.to_owned();
    let found = json["segments"].as_array();
    if segments && found.is_none() {
        return Err("the response has no `segments`; set `segments: false` for a model that sends only text"
            .to_owned());
    }
    let transcript = Transcript {
        text,
        segments: read_segments(found.filter(|_| segments).map_or(&[][..], Vec::as_slice))?,
        language: json["language"].as_str().map(str::to_owned),
        seconds: json["duration"].as_f64(),
    };
    Ok((transcript, usage(&json)))
}

/// Reads segments, which may follow each other with gaps and overlap, but begin in order.
///
/// # Errors
/// A sentence that names the segment.
pub(crate) fn read_segments(found: &[Json]) -> Result<Vec<Segment>, String> {
    let mut segments: Vec<Segment> = Vec::with_capacity(found.len());
    for (at, one) in found.iter().enumerate() {
        let (start, end, text) = (one["start"].as_f64(), one["end"].as_f64(), one["text"].as_str());
        let (Some(start), Some(end), Some(text)) = (start, end, text) else {
            return Err(format!("segment {at} is not an object with `start`, `end` and `text`"));
        };
        let begins = segments.last().map_or(0.0, |last| last.start);
        if !(start >= begins && end >= start && end.is_finite()) {
            return Err(format!("segment {at} has times that are not in order: {start} to {end}"));
        }
        segments.push(Segment { start, end, text: text.trim().to_owned() });
    }
    Ok(segments)
}

/// A video that was ordered.
#[cfg(feature = "video")]
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Video {
    pub(crate) id: String,
    pub(crate) state: VideoState,
    /// What it took, as far as the provider says.
    pub(crate) usage: Usage,
}

/// How far it is.
#[cfg(feature = "video")]
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum VideoState {
    /// It is not there yet: how much of it is, from 0 to 1, and the provider's word for its state.
    Waits(Option<f64>, String),
    Made,
    /// It will not be made, for this reason.
    Failed(String),
}

/// Returns the video in a response.
///
/// # Errors
/// A sentence: it has no id or no state.
#[cfg(feature = "video")]
pub(crate) fn video(body: &[u8]) -> Result<Video, String> {
    let json = json(body)?;
    let id = json["id"].as_str().filter(|id| !id.is_empty()).ok_or("the response has no `id` of a video")?;
    let status = json["status"].as_str().ok_or("the response has no `status` of the video")?;
    let state = match status {
        "completed" | "succeeded" => VideoState::Made,
        "failed" | "cancelled" | "canceled" | "expired" | "error" => {
            let why = json["error"]["message"].as_str().or(json["error"].as_str());
            VideoState::Failed(why.unwrap_or(status).to_owned())
        }
        other => {
            let share = json["progress"].as_f64().map(|percent| (percent / 100.0).clamp(0.0, 1.0));
            VideoState::Waits(share, other.replace('_', " "))
        }
    };
    Ok(Video { id: id.to_owned(), state, usage: usage(&json) })
}

fn json(body: &[u8]) -> Result<Json, String> {
    serde_json::from_slice(body).map_err(|error| format!("the response is not JSON: {error}"))
}

fn usage(json: &Json) -> Usage {
    let count = |name: &str| json["usage"][name].as_u64().unwrap_or_default();
    let cost_usd = cost(&json["usage"]);
    Usage { input: count("input_tokens"), output: count("output_tokens"), cost_usd, ..Usage::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_without_exactly_one_picture_is_an_error() {
        for (body, expected) in [
            (r#"{"data":[]}"#, "sent 0 pictures"),
            (r#"{"data":[{"b64_json":"aGk="},{"b64_json":"aGk="}]}"#, "sent 2 pictures"),
            (r#"{"data":[{"url":"https://x"}]}"#, "response_format: b64_json"),
            (r#"{"data":[{"b64_json":"a"}]}"#, "not Base64"),
            ("{}", "no list `data`"),
            ("<html>", "not JSON"),
        ] {
            assert!(picture(body.as_bytes()).unwrap_err().contains(expected), "{body}");
        }
        assert_eq!(picture(br#"{"data":[{"b64_json":"aGk="}]}"#).unwrap().0, b"hi");
    }

    #[cfg(feature = "video")]
    #[test]
    fn a_video_is_made_failed_or_on_its_way() {
        let state = |body: &str| video(body.as_bytes()).map(|it| it.state);
        let on_its_way = r#"{"id":"v","status":"in_progress","progress":40}"#;
        assert_eq!(state(on_its_way), Ok(VideoState::Waits(Some(0.4), "in progress".to_owned())));
        assert_eq!(
            state(r#"{"id":"v","status":"queued"}"#),
            Ok(VideoState::Waits(None, "queued".to_owned()))
        );
        assert_eq!(state(r#"{"id":"v","status":"completed"}"#), Ok(VideoState::Made));
        let failed = r#"{"id":"v","status":"failed","error":{"code":"x","message":"not allowed"}}"#;
        assert_eq!(state(failed), Ok(VideoState::Failed("not allowed".to_owned())));
        for (body, expected) in [("{}", "no `id`"), (r#"{"id":"v"}"#, "no `status`"), ("<html>", "not JSON")]
        {
            assert!(state(body).unwrap_err().contains(expected), "{body}");
        }
    }

    #[test]
    fn a_transcript_has_its_text_and_segments_in_order() {
        let body = br#"{"text":"Hi. Bye.","language":"en","duration":2.5,"segments":[{"start":0,"end":1,"text":" Hi."},{"start":1,"end":2.5,"text":" Bye."}]}"#;
        let (read, _) = transcript(body, true).unwrap();
        assert_eq!(
            (read.text.as_str(), read.seconds, read.segments[1].text.as_str()),
            ("Hi. Bye.", Some(2.5), "Bye.")
        );
        for (body, expected) in [
            (r#"{"segments":[]}"#, "no `text`"),
            (r#"{"text":"a"}"#, "no `segments`"),
            (r#"{"text":"a","segments":[{"start":1,"text":"a"}]}"#, "segment 0 is not an object"),
            (r#"{"text":"a","segments":[{"start":2,"end":1,"text":"a"}]}"#, "segment 0 has times"),
            (
                r#"{"text":"a","segments":[{"start":1,"end":1,"text":"a"},{"start":0,"end":1,"text":"a"}]}"#,
                "segment 1 has",
            ),
        ] {
            assert!(transcript(body.as_bytes(), true).unwrap_err().contains(expected), "{body}");
        }
        assert_eq!(transcript(br#"{"text":"a"}"#, false).unwrap().0.text, "a");
    }
}
