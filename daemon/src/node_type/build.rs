//! Builds a [`NodeType`] in the order of its documentation.

use std::time::Duration;

use fanlight_shared::node_type::{
    Code, DeclaredOutputs, Effects, InputSpec, NodeTypeSpec, OutputSpec, Place,
};
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;
use indexmap::IndexMap;

use super::{NodeType, Runner, Safe};

/// The maximum total size of a node's values, unless its type sets another.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// The builder of a node type. `default`, `optional`, `range`, `choices`, `code` and `secret` apply to the most recent
/// input.
pub(super) struct Build {
    spec: NodeTypeSpec,
    safe: Vec<Safe>,
    pool: Option<(String, String)>,
    alone: Option<(String, Vec<Value>)>,
    time: Option<Duration>,
}

impl Build {
    /// Starts a node type with its name and one sentence.
    pub(super) fn new(name: &str, summary: &str) -> Self {
        let spec = NodeTypeSpec {
            name: name.to_owned(),
            summary: summary.to_owned(),
            version: 1,
            effects: Effects::None,
            place: Place::Inline,
            source: false,
            remember: false,
            max_bytes: MAX_BYTES,
            inputs: IndexMap::new(),
            more_inputs: false,
            outputs: IndexMap::new(),
            declared_outputs: None,
        };
        Self { spec, safe: Vec::new(), pool: None, alone: None, time: None }
    }

    /// Sets its side effects; `none` by default.
    pub(super) fn effects(mut self, effects: Effects) -> Self {
        self.spec.effects = effects;
        self
    }

    /// Sets the effects of a node whose input has one of these values, whatever `effects` says.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(super) fn safe<T: Into<Value> + Clone>(
        mut self,
        input: &str,
        values: &[T],
        effects: Effects,
    ) -> Self {
        let values = values.iter().cloned().map(Into::into).collect();
        self.safe.push(Safe { input: input.to_owned(), values, effects });
        self
    }

    /// Attempts count in the pool whose name is this prefix and the text of an input.
    #[cfg_attr(not(feature = "llm"), allow(dead_code))]
    pub(super) fn pool(mut self, prefix: &str, input: &str) -> Self {
        self.pool = Some((prefix.to_owned(), input.to_owned()));
        self
    }

    /// Marks its outputs as files that the user already has, not products.
    pub(super) fn source(mut self) -> Self {
        self.spec.source = true;
        self
    }

    /// Lets later nodes with the same inputs reuse its results. It must depend on nothing but its inputs.
    pub(super) fn remember(mut self) -> Self {
        self.spec.remember = true;
        self
    }

    /// Lets results be reused only with these values of an input: with others they depend on another program too.
    #[cfg_attr(not(feature = "audio"), allow(dead_code))]
    pub(super) fn remember_with(mut self, input: &str, values: &[&str]) -> Self {
        self.alone = Some((input.to_owned(), values.iter().map(|it| Value::from(*it)).collect()));
        self.remember()
    }

    /// Sets the maximum total size of its values; 16 MiB by default.
    pub(super) fn max_bytes(mut self, bytes: u64) -> Self {
        self.spec.max_bytes = bytes;
        self
    }

    /// Sets how long a worker may take; 5 minutes by default.
    #[cfg_attr(not(feature = "video"), allow(dead_code))]
    pub(super) fn time(mut self, most: Duration) -> Self {
        self.time = Some(most);
        self
    }

    /// Adds an input, which is required unless `default` or `optional` follows.
    pub(super) fn input(mut self, name: &str, ty: Type, summary: &str) -> Self {
        let input = InputSpec {
            ty,
            summary: summary.to_owned(),
            default: None,
            optional: false,
            min: None,
            max: None,
            choices: Vec::new(),
            code: None,
            secret: false,
        };
        self.spec.inputs.insert(name.to_owned(), input);
        self
    }

    fn last(mut self, change: impl FnOnce(&mut InputSpec)) -> Self {
        if let Some((_, input)) = self.spec.inputs.last_mut() {
            change(input);
        }
        self
    }

    pub(super) fn default(self, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.last(|input| input.default = Some(value))
    }

    pub(super) fn optional(self) -> Self {
        self.last(|input| input.optional = true)
    }

    pub(super) fn range(self, min: f64, max: f64) -> Self {
        self.last(|input| (input.min, input.max) = (Some(min), Some(max)))
    }

    pub(super) fn choices(self, choices: &[&str]) -> Self {
        self.last(|input| input.choices = choices.iter().map(ToString::to_string).collect())
    }

    /// Declares that its text is code.
    pub(super) fn code(self, code: Code) -> Self {
        self.last(|input| input.code = Some(code))
    }

    /// Declares that it may be built from secrets: the node only sends it, and its outputs don't contain it.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    pub(super) fn secret(self) -> Self {
        self.last(|input| input.secret = true)
    }

    /// Accepts inputs with other names too.
    pub(super) fn more_inputs(mut self) -> Self {
        self.spec.more_inputs = true;
        self
    }

    pub(super) fn output(mut self, name: &str, ty: Type, summary: &str) -> Self {
        self.spec.outputs.insert(name.to_owned(), OutputSpec { ty, summary: summary.to_owned() });
        self
    }

    /// Lets a node declare its outputs in the file, in place of these.
    #[cfg_attr(not(feature = "code"), allow(dead_code))]
    pub(super) fn declared_outputs(mut self, outputs: DeclaredOutputs) -> Self {
        self.spec.declared_outputs = Some(outputs);
        self
    }

    /// Finishes with its runner, which determines where it runs.
    pub(super) fn run(self, run: Runner) -> NodeType {
        let made = NodeType::new(self.spec, run);
        let time = self.time.unwrap_or(made.time);
        NodeType { safe: self.safe, pool: self.pool, alone: self.alone, time, ..made }
    }
}

/// Shorthands for port types.
pub(super) mod ty {
    use fanlight_shared::media::MediaKind;
    use fanlight_shared::types::Type;

    pub(in super::super) fn image() -> Type {
        Type::Media(MediaKind::Image)
    }
    #[cfg(any(feature = "audio", feature = "video"))]
    pub(in super::super) fn audio() -> Type {
        Type::Media(MediaKind::Audio)
    }
    #[cfg(feature = "video")]
    pub(in super::super) fn video() -> Type {
        Type::Media(MediaKind::Video)
    }
    pub(in super::super) fn file() -> Type {
        Type::Media(MediaKind::File)
    }
}
