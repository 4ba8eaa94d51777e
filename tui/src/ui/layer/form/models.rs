//! Completion of the names of models: in the field of a param that a node of `llm.*` takes as its model.

use std::collections::{HashMap, HashSet};

use fanlight_shared::expression::Root;
use fanlight_shared::rpc::models::Provider;
use fanlight_shared::workflow::{Action, Template, Workflow};

use super::field::Field;
use crate::ui::effect::Effect;

/// The models of providers that were asked, and the candidate that was put into the field last.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Models {
    by_provider: HashMap<String, Vec<String>>,
    asked: HashSet<String>,
    /// The text before the first candidate was inserted, and the index of the last candidate.
    chosen: Option<(String, usize)>,
}

impl Models {
    /// Asks a provider for its models, once.
    pub(super) fn want(&mut self, provider: &str) -> Option<Effect> {
        self.asked.insert(provider.to_owned()).then(|| Effect::ListModels(provider.to_owned()))
    }

    /// Adds the models of a provider.
    pub(super) fn response(&mut self, provider: &Provider) {
        self.by_provider.insert(provider.provider.clone(), provider.models.clone());
    }

    /// Resets the candidates after a change of the text.
    pub(super) fn typed(&mut self) {
        self.chosen = None;
    }

    /// Returns the names that contain the text, and the index of the one in the field.
    pub(super) fn candidates(&self, provider: &str, text: &str) -> (Vec<&String>, Option<usize>) {
        let (typed, at) = match &self.chosen {
            Some((typed, at)) => (typed.as_str(), Some(*at)),
            None => (text, None),
        };
        let lower = typed.trim().to_lowercase();
        let names = self.by_provider.get(provider).map(Vec::as_slice).unwrap_or_default();
        (names.iter().filter(|name| name.to_lowercase().contains(&lower)).collect(), at)
    }

    /// Returns the text after another tab: one candidate after the other. `None` if there is nothing to complete.
    pub(super) fn complete(&mut self, provider: &str, text: &str) -> Option<String> {
        let (candidates, at) = self.candidates(provider, text);
        // A complete name is accepted, even if others contain it.
        if candidates.is_empty() || at.is_none() && candidates.iter().any(|name| *name == text.trim()) {
            return None;
        }
        let next = at.map_or(0, |at| (at + 1) % candidates.len());
        let (name, several) = (candidates[next].clone(), candidates.len() > 1);
        let typed = self.chosen.take().map_or_else(|| text.to_owned(), |(typed, _)| typed);
        self.chosen = several.then_some((typed, next));
        Some(name)
    }
}

/// Returns the provider whose models a field takes, as the fields say it at the moment.
pub(super) fn provider(workflow: &Workflow, fields: &[Field], field: &Field) -> Option<String> {
    let of_param = |template: &Template| match template {
        Template::Expression(expression) => match expression.references() {
            [reference] if reference.root == Root::Params && reference.path.is_empty() => {
                reference.port.clone()
            }
            _ => None,
        },
        _ => None,
    };
    workflow.nodes.values().find_map(|node| {
        let Action::Uses(name) = &node.action else { return None };
        let model = node.with.get("model").filter(|_| name.starts_with("llm."))?;
        if of_param(model).as_ref() != Some(&field.name) {
            return None;
        }
        let provider = node.with.get("provider")?;
        match (provider, of_param(provider)) {
            (Template::Literal(value), _) => value.as_text().map(str::to_owned),
            (_, Some(param)) => {
                let text = fields.iter().find(|field| field.name == param)?.text();
                Some(text.trim().to_owned()).filter(|text| !text.is_empty())
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models() -> Models {
        let mut models = Models::default();
        let names = ["gpt-5", "gpt-5-mini", "o3"].map(str::to_owned).to_vec();
        models.response(&Provider { provider: "openai".into(), models: names, ..Provider::default() });
        models
    }

    #[test]
    fn tab_goes_through_the_names_that_contain_what_was_typed() {
        let mut models = models();
        assert_eq!(models.complete("openai", "5").as_deref(), Some("gpt-5"));
        assert_eq!(models.complete("openai", "gpt-5").as_deref(), Some("gpt-5-mini"));
        assert_eq!(models.complete("openai", "gpt-5-mini").as_deref(), Some("gpt-5"));
        models.typed();
        assert_eq!(models.complete("openai", "gpt-5"), None, "it is complete");
        assert_eq!(models.complete("openai", "MINI").as_deref(), Some("gpt-5-mini"));
        assert_eq!(models.complete("openai", "x"), None);
        assert_eq!(models.complete("ollama", ""), None);
    }

    #[test]
    fn a_provider_is_asked_once() {
        let mut models = models();
        assert_eq!(models.want("openai"), Some(Effect::ListModels("openai".into())));
        assert_eq!((models.want("openai"), models.want("ollama").is_some()), (None, true));
    }
}
