//! Inputs that are built from secrets: evaluated when an attempt starts, beside the engine, and kept only by that attempt.
//!
//! The engine keeps the templates and the other values that they read. What is made of a secret is as secret as it is: each
//! text that a template with a secret gives is masked like the secret itself.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use fanlight_shared::expression::{Content, Load, Outcome as Upstream, Root, Scope};
use fanlight_shared::value::Value;
use fanlight_shared::workflow::{Node, Template};

use crate::executor::{CommandWork, Work};
use crate::secret::{SecretSettings, Secrets, check_value};

/// The most bytes of all secrets of an attempt, and of one variable that is built from secrets.
const MAX_BYTES: usize = 64 << 10;

/// Where a value goes.
#[derive(Clone, Debug)]
enum Part {
    /// An input.
    Input(String),
    /// An environment variable.
    Env(String),
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(name) => write!(f, "input `{name}`"),
            Self::Env(name) => write!(f, "env `{name}`"),
        }
    }
}

/// The inputs of an instance that are built from secrets.
#[derive(Default)]
pub(super) struct Sealed {
    parts: Vec<(Part, Template)>,
    secrets: BTreeSet<String>,
    scope: Frozen,
}

/// The values that the templates read besides secrets.
#[derive(Default)]
struct Frozen {
    values: HashMap<(Root, Option<String>), Value>,
    upstream: Upstream,
    loader: Option<Arc<dyn Load>>,
}

/// The frozen values with secrets.
struct Opened<'a> {
    frozen: &'a Frozen,
    secrets: &'a Secrets,
}

impl Scope for Opened<'_> {
    fn get(&self, root: &Root, field: Option<&str>) -> Option<Value> {
        match (root, field) {
            (Root::Secrets, Some(name)) => self.secrets.get(name).map(Value::from),
            _ => self.frozen.values.get(&(root.clone(), field.map(str::to_owned))).cloned(),
        }
    }

    fn outcome(&self) -> Upstream {
        self.frozen.upstream
    }

    fn loader(&self) -> Option<Arc<dyn Load>> {
        self.frozen.loader.clone()
    }
}

impl Sealed {
    /// Takes the inputs and variables of a node that are built from secrets.
    pub(super) fn new(node: &Node, scope: &dyn Scope) -> Self {
        let mut sealed = Self::default();
        let inputs = node.with.iter().map(|(name, template)| (Part::Input(name.clone()), template));
        let env = node.env.iter().map(|(name, template)| (Part::Env(name.clone()), template));
        for (part, template) in inputs.chain(env).filter(|(_, template)| template.is_secret()) {
            sealed.add(part, template, scope);
        }
        sealed
    }

    /// Adds an input that is built from secrets, unless it is absent because something else that it reads is.
    fn add(&mut self, part: Part, template: &Template, scope: &dyn Scope) {
        let mut absent = false;
        for expression in template.expressions() {
            self.secrets.extend(expression.secrets().map(str::to_owned));
            for reference in expression.references().iter().filter(|it| it.root != Root::Secrets) {
                let field = reference.port.as_deref();
                // The fields of a large item are read from the item itself.
                let whole = (reference.root == Root::Item).then_some(None);
                for field in std::iter::once(field).chain(whole) {
                    if let Some(value) = scope.get(&reference.root, field) {
                        self.scope.values.insert((reference.root.clone(), field.map(str::to_owned)), value);
                    }
                }
                absent |= scope.get(&reference.root, field).is_none();
            }
        }
        (self.scope.upstream, self.scope.loader) = (scope.outcome(), scope.loader());
        // In this scope a secret is only a placeholder.
        if !absent || !matches!(template.evaluate(scope), Ok(None)) {
            self.parts.push((part, template.clone()));
        }
    }

    /// Returns whether the input of this name is among them.
    pub(super) fn has_input(&self, name: &str) -> bool {
        self.parts.iter().any(|(part, _)| matches!(part, Part::Input(it) if it == name))
    }

    /// Returns whether the variable of this name is among them.
    pub(super) fn has_env(&self, name: &str) -> bool {
        self.parts.iter().any(|(part, _)| matches!(part, Part::Env(it) if it == name))
    }

    /// Returns whether nothing is built from secrets.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Returns about how many bytes it takes in memory.
    pub(super) fn memory(&self) -> usize {
        self.scope.values.values().map(Value::memory).sum()
    }

    /// Looks up the secrets and completes the work with what is built from them. `key` is a secret that the work uses
    /// besides its inputs.
    ///
    /// # Errors
    /// A sentence without a value: there is no such secret, or what is built from it can't be used or masked.
    pub(super) async fn open(
        self: Arc<Self>,
        work: Arc<Work>,
        settings: &SecretSettings,
        key: Option<&str>,
    ) -> Result<(Work, Secrets), String> {
        let names = self.secrets.iter().cloned().chain(key.map(str::to_owned)).collect();
        let secrets = settings.resolve(&names).await?;
        // It may read long values from the store.
        tokio::task::spawn_blocking(move || self.complete(&work, &secrets))
            .await
            .map_err(|_| "the inputs can't be built; see the daemon's log")?
    }

    fn complete(&self, work: &Work, named: &Secrets) -> Result<(Work, Secrets), String> {
        let scope = Opened { frozen: &self.scope, secrets: named };
        let mut secrets: Vec<(String, String)> =
            named.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut made = Vec::with_capacity(self.parts.len());
        for (part, template) in &self.parts {
            derive(template, &scope, &mut secrets).map_err(|why| format!("{part} {why}"))?;
            made.push((part, evaluate(template, &scope).map_err(|why| format!("{part} {why}"))?));
        }
        if secrets.iter().map(|(_, value)| value.len()).sum::<usize>() > MAX_BYTES {
            return Err(format!("the secrets of a node can have at most {} KiB together", MAX_BYTES >> 10));
        }
        let work = match work {
            Work::Native(native, inputs) => {
                let mut inputs = inputs.clone();
                for (part, value) in made {
                    let Part::Input(name) = part else { continue };
                    let spec = native.spec.inputs.get(name).ok_or_else(|| format!("there is no {part}"))?;
                    // The reason could show the value.
                    let value = spec.check(value).map_err(|_| format!("{part} does not fit {}", spec.ty))?;
                    inputs.insert(name.clone(), value);
                }
                Work::Native(Arc::clone(native), inputs)
            }
            Work::Command(command) => Work::Command(Arc::new(with_variables(command, made)?)),
        };
        Ok((work, secrets.into_iter().collect()))
    }
}

/// Completes a command. Everything becomes a variable, since a file would be stored.
fn with_variables(command: &CommandWork, made: Vec<(&Part, Value)>) -> Result<CommandWork, String> {
    let mut command = command.clone();
    for (part, value) in made {
        if value.has_media() {
            return Err(format!("{part} is built from a secret, so it can't contain a file"));
        }
        let text = value.to_text().map_err(|why| format!("{part}: {why}"))?;
        if text.len() > MAX_BYTES {
            return Err(format!(
                "{part} is {} bytes long; what is built from a secret is passed as a variable, which holds at most {} KiB",
                text.len(),
                MAX_BYTES >> 10
            ));
        }
        match part {
            Part::Input(name) => command.inputs.insert(name.clone(), value).map(drop),
            Part::Env(name) => command.env.insert(name.clone(), text).map(drop),
        };
    }
    Ok(command)
}

/// Returns the value of a template that is built from secrets. Its errors don't tell why: the reason could show a part of a
/// secret.
fn evaluate(template: &Template, scope: &Opened<'_>) -> Result<Value, String> {
    let value = template.evaluate(scope).map_err(|_| {
        "can't be built from its secrets; the reason is left out, because it could show a part of them"
            .to_owned()
    })?;
    let value = value.ok_or("is absent")?;
    Content::new(scope.loader()).resolve(value)
}

/// Adds the texts that are built from secrets to the secrets.
fn derive(
    template: &Template,
    scope: &Opened<'_>,
    secrets: &mut Vec<(String, String)>,
) -> Result<(), String> {
    match template {
        Template::Literal(_) => Ok(()),
        Template::List(items) => items.iter().try_for_each(|item| derive(item, scope, secrets)),
        Template::Object(fields) => fields.values().try_for_each(|value| derive(value, scope, secrets)),
        Template::Expression(_) | Template::Text(_) => {
            let expressions = template.expressions();
            let Some(name) = expressions.into_iter().find_map(|it| it.secrets().next()) else {
                return Ok(());
            };
            add(name, &evaluate(template, scope)?, secrets)
        }
    }
}

fn add(name: &str, value: &Value, secrets: &mut Vec<(String, String)>) -> Result<(), String> {
    match value {
        Value::None | Value::Bool(_) | Value::Media(_) | Value::Large(_) => Ok(()),
        Value::List(items) => items.iter().try_for_each(|item| add(name, item, secrets)),
        Value::Object(fields) => fields.values().try_for_each(|value| add(name, value, secrets)),
        Value::Text(_) | Value::Int(_) | Value::Float(_) => {
            let text = value.to_text()?;
            if !secrets.iter().any(|(_, known)| *known == text) {
                check_value(&text)
                    .map_err(|why| format!("is built from the secret `{name}`, and a text in it {why}"))?;
                secrets.push((name.to_owned(), text));
            }
            Ok(())
        }
    }
}
