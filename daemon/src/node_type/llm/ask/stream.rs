//! An answer as it is streamed.

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;

use super::meter::Meter;
use super::{AskError, Asker};
use crate::config::ProviderKind;
use crate::http;
use crate::llm::chat::Chat;
use crate::llm::reply::{MAX_REPLY_BYTES, Reply, StreamError};
use crate::llm::sse::{Event, Events};
use crate::llm::{anthropic, gemini, offline, openai};
use crate::node_type::retry::Failure;
use crate::services::{DaemonServices, Level};

impl Asker {
    /// Asks once, and tells the answer piece by piece.
    pub(super) async fn answer(&self, chat: &Chat, number: usize) -> Result<Reply, AskError> {
        let mut streamed = Streamed {
            reply: Reply::default(),
            meter: self.meter(chat.has_audio()),
            said: (0, 0),
            model: self.model.clone(),
        };
        if self.is_offline() {
            if let Some(call) = offline::call(chat, &self.script, number) {
                streamed.reply.calls.push(call);
                offline::end(chat, &mut streamed.reply);
                streamed.tell(&self.services)?;
                return Ok(streamed.end());
            }
            for piece in offline::pieces(chat, &self.script, number) {
                streamed.reply.text.push_str(&piece);
                streamed.tell(&self.services)?;
                tokio::task::yield_now().await;
            }
            offline::end(chat, &mut streamed.reply);
            streamed.tell(&self.services)?;
            return Ok(streamed.end());
        }
        let settings = &self.provider.settings;
        let (path, body) = match settings.kind {
            ProviderKind::Anthropic => (anthropic::CHAT.to_owned(), anthropic::body(chat)?),
            ProviderKind::Gemini => (gemini::chat_path(&chat.model), gemini::body(chat)),
            ProviderKind::OpenAi | ProviderKind::Comfy | ProviderKind::Offline => {
                let limit = self.provider.limit_field();
                let mut body = openai::body(chat, settings.structured, limit)?;
                if !chat.tools.is_empty() && self.provider.reasons_without_tools(&chat.model) {
                    body.as_object_mut().map(|body| body.entry("reasoning_effort").or_insert("none".into()));
                }
                (openai::CHAT.to_owned(), body)
            }
        };
        self.services.progress(None, Some(&format!("waits for {}", self.model)));
        let mut response = self.send(self.provider.post(&path, &body)?, number).await?;
        self.services.progress(None, Some(&format!("{} answers", self.model)));
        let mut events = Source::of(&response);
        while !streamed.reply.done {
            let chunk = match response.chunk().await {
                Ok(chunk) => chunk,
                // The answer may be complete, whatever happens to the connection.
                Err(_) if streamed.reply.finish.is_some() => break,
                Err(error) => {
                    let why = format!(
                        "the connection was cut before the answer was complete: {}",
                        http::sentence(&error)
                    );
                    return Err(streamed.broken(why));
                }
            };
            let ended = chunk.is_none();
            for event in events.take(chunk.as_deref())? {
                let taken = self.take(&event, &mut streamed.reply);
                // What an event reports counts, whatever follows it.
                streamed.meter.usage = streamed.reply.usage;
                match taken {
                    Ok(()) => {}
                    Err(StreamError::Passing { why, busy }) => {
                        return Err(AskError { busy, ..streamed.broken(self.provider.shown(&why)) });
                    }
                    Err(StreamError::Final(why)) => return Err(self.provider.shown(&why).into()),
                }
            }
            streamed.tell(&self.services)?;
            if ended {
                break;
            }
        }
        if streamed.reply.finish.is_none() && !streamed.reply.done {
            return Err(streamed.broken("the connection was cut before the answer was complete".to_owned()));
        }
        let limit = match settings.kind {
            ProviderKind::Anthropic => Some(anthropic::max_tokens(chat)),
            _ => chat.max_tokens,
        };
        streamed.reply.check(limit).map_err(|why| self.provider.shown(&why))?;
        if chat.tools.is_empty() && !streamed.reply.calls.is_empty() {
            return Err("the model called a tool (tool_calls), but it was offered none".to_owned().into());
        }
        if streamed.reply.usage.is_empty() {
            self.services.log(Level::Info, "the provider does not say how many tokens it took");
        }
        Ok(streamed.end())
    }

    fn take(&self, event: &Event, reply: &mut Reply) -> Result<(), StreamError> {
        match self.provider.settings.kind {
            ProviderKind::Anthropic => anthropic::take(event, reply),
            ProviderKind::Gemini => gemini::take(event, reply),
            ProviderKind::OpenAi | ProviderKind::Comfy | ProviderKind::Offline => openai::take(event, reply),
        }
    }
}

/// An answer on its way to those who watch.
struct Streamed {
    reply: Reply,
    meter: Meter,
    /// How much of text and reasoning was told.
    said: (usize, usize),
    model: String,
}

impl Streamed {
    /// Tells what is new.
    fn tell(&mut self, services: &DaemonServices) -> Result<(), String> {
        self.reply.check_length()?;
        self.meter.usage = self.reply.usage;
        self.meter.charged |= self.reply.has_begun();
        let (text, reasoning) = (&self.reply.text[self.said.0..], &self.reply.reasoning[self.said.1..]);
        if !reasoning.is_empty() {
            if self.said == (0, 0) {
                services.progress(None, Some(&format!("{} reasons", self.model)));
            }
            services.reasoning(reasoning);
        }
        if !text.is_empty() {
            if self.said.0 == 0 {
                // The words themselves are shown instead of a message about them.
                services.progress(None, None);
            }
            services.chunk(text);
        }
        self.said = (self.reply.text.len(), self.reply.reasoning.len());
        Ok(())
    }

    /// Returns the trouble of an answer that broke off: it is asked for again only if nothing of it has come.
    fn broken(&self, why: String) -> AskError {
        if self.reply.has_begun() { why.into() } else { Failure::Again(why, None).into() }
    }

    fn end(mut self) -> Reply {
        std::mem::take(&mut self.reply)
    }
}

/// The events of a response: streamed, or all at once by a server that does not stream.
enum Source {
    Stream(Events),
    Whole(Vec<u8>),
}

impl Source {
    fn of(response: &Response) -> Self {
        let kind = response.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
        if kind.starts_with("application/json") {
            Self::Whole(Vec::new())
        } else {
            Self::Stream(Events::default())
        }
    }

    /// Takes the next bytes, or the end.
    fn take(&mut self, bytes: Option<&[u8]>) -> Result<Vec<Event>, String> {
        match (self, bytes) {
            (Self::Stream(events), Some(bytes)) => events.take(bytes),
            (Self::Stream(_), None) => Ok(Vec::new()),
            (Self::Whole(body), Some(bytes)) => {
                body.extend_from_slice(bytes);
                if body.len() > 2 * MAX_REPLY_BYTES {
                    return Err(format!("the response has more than {} MiB", (2 * MAX_REPLY_BYTES) >> 20));
                }
                Ok(Vec::new())
            }
            (Self::Whole(body), None) => {
                let data =
                    String::from_utf8(std::mem::take(body)).map_err(|_| "the response is not UTF-8")?;
                Ok(vec![Event { name: String::new(), data }])
            }
        }
    }
}
