//! `on_end:`.

use super::names::is_secret_name;
use super::reading::Reading;
use super::yaml::{Kind, Node};
use crate::on_end::{EndAction, EndOf, OnEnd, WantedBy};
use crate::problem::Span;
use crate::run::RunStatus;
use crate::value::cut;

const KEYS: [&str; 7] = ["of", "states", "command", "webhook", "token", "notify", "secrets"];
const STATES: [(&str, RunStatus); 3] =
    [("completed", RunStatus::Completed), ("failed", RunStatus::Failed), ("cancelled", RunStatus::Cancelled)];
/// The most things to do at one end.
const MAX_ON_END: usize = 20;

impl Reading<'_> {
    /// Reads one thing to do at ends, or a list of them.
    pub(super) fn on_end(&mut self, node: &Node) -> Vec<OnEnd> {
        let all = match &node.kind {
            Kind::List(all) => all.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if let Some(first) = all.get(MAX_ON_END) {
            let message = format!("`on_end` has {} entries; at most {MAX_ON_END} are allowed", all.len());
            self.error("too_many_ends", first.span, message);
        }
        all.iter().take(MAX_ON_END).filter_map(|one| self.one_on_end(one)).collect()
    }

    fn one_on_end(&mut self, node: &Node) -> Option<OnEnd> {
        let entries = self.map(node, "`on_end`", "a map such as `{ command: [./tell.sh] }`")?;
        let (mut of, mut states, mut secrets) = (None, Vec::new(), Vec::new());
        let (mut actions, mut token) = (Vec::new(), None);
        // One that was wrong is not also missing.
        let mut given = 0;
        for entry in entries {
            let (what, value) = (format!("`on_end.{}`", entry.key), &entry.value);
            match entry.key.as_str() {
                "of" => of = self.word(value, &what, &[("run", EndOf::Run), ("sweep", EndOf::Sweep)]),
                "states" => {
                    for state in self.texts(value, &what) {
                        states.extend(self.word(state, &what, &STATES));
                    }
                }
                "command" => {
                    given += 1;
                    let nodes = self.texts(value, &what);
                    let read = nodes.iter().map(|word| self.plain_text(word, &what));
                    let Some(words) = read.collect::<Option<Vec<String>>>() else { continue };
                    match words.first() {
                        Some(program) if !program.is_empty() => actions.push(EndAction::Command(words)),
                        _ => self.bad_on_end(value.span, "`on_end.command` is a program and its arguments"),
                    }
                }
                "webhook" => {
                    given += 1;
                    let Some(url) = self.plain_text(value, &what) else { continue };
                    if !url.starts_with("https://") && !url.starts_with("http://") {
                        self.bad_on_end(value.span, "`on_end.webhook` is a URL that begins with `https://`");
                        continue;
                    }
                    actions.push(EndAction::Webhook { url, token: None });
                }
                "notify" => {
                    given += 1;
                    match self.bool(value, &what) {
                        Some(true) => actions.push(EndAction::Notify),
                        Some(false) => self.bad_on_end(value.span, "`on_end.notify` is true, or left out"),
                        None => {}
                    }
                }
                "token" => token = self.secret_name(value, &what).map(|name| (value.span, name)),
                "secrets" => {
                    for name in self.texts(value, &what) {
                        secrets.extend(self.secret_name(name, &what));
                    }
                }
                "run" | "cmd" => {
                    given += 1;
                    let hint = "write `command: [program, argument]`";
                    self.unknown_key(entry, "`on_end`", &KEYS, Some(hint));
                }
                "url" => {
                    given += 1;
                    self.unknown_key(entry, "`on_end`", &KEYS, Some("write `webhook:`"));
                }
                _ => self.unknown_key(entry, "`on_end`", &KEYS, None),
            }
        }
        if given != 1 {
            self.bad_on_end(node.span, "`on_end` has exactly one of `command`, `webhook` and `notify: true`");
        }
        let mut action = actions.pop()?;
        match (&mut action, token) {
            (EndAction::Webhook { token, .. }, given) => *token = given.map(|(_, name)| name),
            (_, Some((span, _))) => self.bad_on_end(span, "`on_end.token` is for a `webhook`"),
            (_, None) => {}
        }
        if !secrets.is_empty() && !matches!(action, EndAction::Command(_)) {
            self.bad_on_end(node.span, "`on_end.secrets` are for a `command`");
        }
        Some(OnEnd { of, states, action, secrets, wanted_by: WantedBy::File { folder: None } })
    }

    fn bad_on_end(&mut self, span: Span, message: &str) {
        self.error("bad_on_end", span, message);
    }

    /// Returns the entries of a list of texts, or one text.
    fn texts<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n Node> {
        match &node.kind {
            Kind::List(all) => all.iter().collect(),
            Kind::Scalar(_) => vec![node],
            Kind::Map(_) => {
                self.wrong_kind(node, what, "a list");
                Vec::new()
            }
        }
    }

    fn secret_name(&mut self, node: &Node, what: &str) -> Option<String> {
        let name = self.plain_text(node, what)?;
        if is_secret_name(&name) {
            return Some(name);
        }
        let message = format!("{what}: `{}` can't be the name of a secret", cut(&name, 60));
        self.error_hint("bad_on_end", node.span, message, "name the secret, in letters, digits and `_`");
        None
    }
}
